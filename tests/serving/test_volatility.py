import numpy as np
import pytest

from make_us_rich.registry.artifact import VOLATILITY_FILE, ArtifactDraft
from make_us_rich.serving.desk_view import Series
from make_us_rich.serving.forecasting import current_forecast
from make_us_rich.serving.volatility import VolatilityYardstick
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from trial_desk import BTC, END, HOUR

SERIES = Series("recorded", BTC, HOUR)
REGRESSION = ToyPriceModel(spread=0.03, lookback=72)


def with_regression(model=None):
    draft = toy_draft(model=model)
    return ArtifactDraft(draft.manifest, {**draft.payloads, VOLATILITY_FILE: REGRESSION.to_onnx()})


@pytest.fixture
def beside(desk):
    """What the regression of a draft says beside its model, the last candles of the desk being given."""

    def say(draft, days=30):
        champion = desk.shelf.load(draft.manifest.name, desk.promote(draft)) if draft else None
        made = current_forecast(desk.view, SERIES, champion, END)
        candles = desk.view.closed_candles(SERIES, days * 24, END)
        return VolatilityYardstick().beside(champion, made, candles), made

    return say


def test_a_regression_that_came_with_the_model_speaks_beside_it(beside):
    said, made = beside(with_regression())
    assert (said.version, said.missing) == (1, "")
    for row, step in enumerate(made.steps):
        assert said.quantiles[step.horizon] == pytest.approx(made.last_close * REGRESSION.factors[row])


def test_a_model_that_is_the_regression_speaks_for_itself(beside):
    served_by = {"1": "volatility", "2": "volatility", "4": "volatility", "8": "volatility"}
    served_by |= {"12": "volatility", "24": "persistence"}
    said, made = beside(toy_draft(changes={"model": "volatility", "served_by": served_by}))
    assert len(said.quantiles) == 6
    assert said.quantiles[1] == made.steps[0].quantiles
    assert said.quantiles[24] != made.steps[5].quantiles
    assert np.all(np.diff(said.quantiles[24]) > 0)


@pytest.mark.parametrize(
    ("draft", "days", "words"),
    [
        (None, 30, "no model is served"),
        (toy_draft(), 30, "shelved without its volatility regression"),
        (with_regression(), 2, "needs 72 candles, found 48"),
    ],
)
def test_what_cannot_be_said_is_missing_and_says_why(beside, draft, days, words):
    said, _ = beside(draft, days)
    assert said.quantiles == {}
    assert words in said.missing
