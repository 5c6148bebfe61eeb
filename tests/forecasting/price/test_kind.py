import pytest

from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.price.kind import PriceKind, price_name
from make_us_rich.testing.artifacts import toy_draft
from price_desk import SERIES


def answer(desk):
    return PriceKind().answer(Board(desk.view).compute(price_name(SERIES)))


def test_the_probability_of_a_rise_is_one_half_where_the_median_is_the_last_close(desk):
    desk.promote()
    assert [step["probability_up"] for step in answer(desk)["steps"]] == pytest.approx([0.5] * 6)


def test_a_step_without_a_live_record_is_too_early_to_tell(desk):
    assert {step["live"].verdict for step in answer(desk)["steps"]} == {"too early to tell"}


def test_a_model_of_other_horizons_is_answered_at_those(desk):
    horizons = (2, 3, 4, 8, 12, 24)
    served_by = {str(horizon): "toy" for horizon in horizons}
    desk.promote(toy_draft(changes={"horizons": horizons, "served_by": served_by}))
    assert [step["horizon"] for step in answer(desk)["steps"]] == list(horizons)
