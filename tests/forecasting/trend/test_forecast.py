from datetime import timedelta

import numpy as np
import pytest

from make_us_rich.errors import DataError, NotEnoughHistoryError
from make_us_rich.features.indicators import last_indicators
from make_us_rich.features.trend_labels import TrendLabel, trend_labels
from make_us_rich.forecasting.kind import ShelvedModels, Subject
from make_us_rich.forecasting.trend.forecast import (
    READ,
    TrendForecasters,
    gather_forecasters,
    trend_forecast,
    trend_inputs,
)
from make_us_rich.forecasting.trend.kind import TrendKind
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.series import Series
from make_us_rich.models.trend_baselines import MomentumFit, base_rate, random_walk_probability
from make_us_rich.testing.trend_artifacts import ToyTrendModel
from trend_desk import DAY, END, SOL, UP, daily_candles

CANDLES = CandleArrays.from_frame(daily_candles())
SERIES = Series("recorded", SOL, DAY)
NOTHING = ShelvedModels()


def forecast(models=NOTHING, direction="up", candles=CANDLES):
    forecasters = TrendForecasters("replay", models, 0.25, MomentumFit(-1.0, 10.0))
    return trend_forecast(UP, direction, candles.close_time(DAY), candles, forecasters)


def said(made, yardstick):
    (step,) = made.yardsticks[yardstick]
    return step.probability


@pytest.fixture
def promoted(desk):
    return desk.shelf.load(str(UP), desk.promote_trend())


@pytest.fixture
def shelve(desk):
    """Shelve a version that does not serve, and load it."""

    def shelve(**changes):
        return desk.shelf.load(str(UP), desk.shelve_trend(changes=changes))

    return shelve


@pytest.fixture
def unproven(shelve):
    return shelve(served_by="momentum")


def test_without_a_model_the_random_walk_answers_and_says_so():
    made = forecast()
    (step,) = made.steps
    assert step.probability == random_walk_probability(CANDLES.ohlcv[-250:], TrendLabel(), "up")[-1]
    assert (step.served_by, step.is_baseline, made.version) == ("random_walk", True, None)
    assert made.challenger is None


def test_every_yardstick_stands_beside_the_answer():
    made = forecast()
    close = CANDLES.ohlcv[:, 3]
    momentum = 1 / (1 + np.exp(1.0 - 10.0 * (close[-1] / close[-10:].mean() - 1)))
    assert {name: said(made, name) for name in made.yardsticks} == {
        "base_rate": 0.25,
        "momentum": pytest.approx(momentum),
        "random_walk": made.steps[0].probability,
    }


def test_a_champion_answers_from_the_indicators_of_the_last_candle(promoted):
    made = forecast(ShelvedModels(promoted))
    (step,) = made.steps
    expected = ToyTrendModel().probability(last_indicators(CANDLES.ohlcv)[None])[0]
    assert step.probability == pytest.approx(expected, abs=1e-6)
    assert (step.served_by, step.is_baseline, made.version) == ("toy", False, 1)
    assert made.challenger is None


def test_a_baseline_that_was_proven_better_than_the_random_walk_answers_in_its_place(unproven):
    made = forecast(ShelvedModels(newest=unproven))
    (step,) = made.steps
    assert (step.served_by, step.is_baseline) == ("momentum", True)
    assert step.probability == said(made, "momentum")


def test_a_model_that_is_not_proven_is_shown_beside_the_answer_and_marked(unproven):
    challenger = forecast(ShelvedModels(newest=unproven)).challenger
    assert (challenger.version, challenger.model, challenger.is_proven) == (1, "toy", False)
    assert challenger.probability == pytest.approx(
        ToyTrendModel().probability(last_indicators(CANDLES.ohlcv)[None])[0], abs=1e-6
    )


def test_a_version_promoted_by_hand_answers_with_what_it_earned(unproven):
    made = forecast(ShelvedModels(champion=unproven))
    (step,) = made.steps
    assert (step.served_by, step.is_baseline, made.version) == ("momentum", True, 1)
    assert made.challenger.version == 1


def test_a_newer_version_that_asks_another_question_is_no_challenger(promoted, shelve):
    label = TrendLabel(kind="touch", average=10, horizon=5, threshold=0.1)
    made = forecast(ShelvedModels(promoted, shelve(label=label)))
    assert made.challenger is None
    assert made.question == "sma-change/10/10/0.05"


def test_the_question_is_that_of_the_shelved_model(shelve):
    label = TrendLabel(kind="touch", average=10, horizon=5, threshold=0.1)
    models = ShelvedModels(newest=shelve(label=label, served_by="random_walk"))
    made = forecast(models)
    assert made.question == "touch/10/5/0.1"
    (step,) = made.steps
    assert (step.horizon, step.target_time) == (5, END + timedelta(days=5))
    asked = TrendLabel("touch", 10, 5, 0.1)
    assert step.probability == random_walk_probability(CANDLES.ohlcv[-250:], asked, "up")[-1]
    assert TrendKind("up").horizons(models) == (5,)


def test_up_and_down_are_two_questions():
    assert forecast(direction="down").steps[0].probability != forecast().steps[0].probability


def test_the_candles_before_the_warm_up_change_nothing_but_the_hash(promoted):
    recent = forecast(ShelvedModels(promoted), candles=CandleArrays.from_frame(daily_candles().tail(250)))
    whole = forecast(ShelvedModels(promoted))
    assert (recent.steps, recent.yardsticks) == (whole.steps, whole.yardsticks)
    assert recent.input_hash != whole.input_hash


def test_fewer_candles_than_the_indicators_read_are_refused_in_one_line():
    few = CandleArrays.from_frame(daily_candles().tail(249))
    with pytest.raises(NotEnoughHistoryError) as refused:
        forecast(candles=few)
    assert str(refused.value) == (
        "SOL/USDT 1d: a trend forecast needs 250 candles, found 249; "
        "run `mur fetch SOL/USDT --timeframe 1d --since 365d`"
    )


def test_candles_that_do_not_end_at_the_cutoff_are_a_mistake_of_ours():
    forecasters = TrendForecasters("replay", NOTHING, None, None)
    with pytest.raises(ValueError, match="not at the cutoff"):
        trend_forecast(UP, "up", END - DAY.duration, CANDLES, forecasters)


def test_a_yardstick_that_could_not_be_fitted_is_missing_and_says_so():
    made = trend_forecast(UP, "up", END, CANDLES, TrendForecasters("replay", NOTHING, None, None))
    (momentum,) = made.yardsticks["momentum"]
    assert (momentum.probability, momentum.missing) == (None, "the momentum gives no probability here")


# -- what it is made from ----------------------------------------------------------------------------


def test_missing_days_are_filled():
    days = daily_candles()
    assert len(trend_inputs(SERIES, END, days[:-20].vstack(days[-18:]), is_whole=True)) == 400


def test_a_missing_month_among_the_days_that_are_read_is_refused():
    days = daily_candles().tail(READ)
    with pytest.raises(DataError, match="candles missing"):
        trend_inputs(SERIES, END, days[:-80].vstack(days[-50:]), is_whole=False)


def test_all_days_are_read_only_where_the_baselines_have_to_be_fitted_here(promoted):
    kind, subject = TrendKind("up"), Subject(UP, SERIES)
    (whole,), (recent,) = kind.needs(subject, NOTHING), kind.needs(subject, ShelvedModels(promoted))
    assert (whole.count, recent.count) == (None, READ)


def test_baselines_are_fitted_on_the_stored_history_where_nothing_is_shelved():
    found = gather_forecasters("replay", NOTHING, "up", CANDLES)
    labels = trend_labels(CANDLES.ohlcv, TrendLabel(), "up")
    assert found.base_rate == base_rate(labels, np.arange(400))
    assert found.momentum.slope > 0


def test_baselines_of_a_history_with_a_hole_come_from_after_it():
    days = daily_candles(600)
    assert len(trend_inputs(SERIES, END, days[:200].vstack(days[-320:]), is_whole=True)) == 250


def test_baselines_are_those_of_the_shelved_model_where_there_is_one(promoted):
    found = gather_forecasters("replay", ShelvedModels(promoted), "up", CANDLES)
    assert found.base_rate == 0.3
    assert found.momentum == MomentumFit(-1.2, 20.0)
