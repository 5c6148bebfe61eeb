from datetime import timedelta

import numpy as np
import pytest

from make_us_rich.errors import DataError, NotEnoughHistoryError
from make_us_rich.features.indicators import last_indicators
from make_us_rich.features.trend_labels import TrendLabel, trend_labels
from make_us_rich.market.candle import CandleArrays
from make_us_rich.models.trend_baselines import MomentumFit, base_rate, random_walk_probability
from make_us_rich.registry.trend_manifest import TrendLabelRecord
from make_us_rich.serving.trends.forecasting import (
    TrendForecasters,
    gather_forecasters,
    known_candles,
    trend_forecast,
)
from make_us_rich.serving.trends.models import TrendModels
from make_us_rich.testing.trend_artifacts import ToyTrendModel
from trend_desk import DAY, DOWN, END, SOL, UP, daily_candles

CANDLES = CandleArrays.from_frame(daily_candles())


def forecast(models=None, name=UP, candles=CANDLES):
    forecasters = TrendForecasters("replay", models or TrendModels(), 0.25, MomentumFit(-1.0, 10.0))
    return trend_forecast(name, candles.close_time(DAY), candles, forecasters)


@pytest.fixture
def promoted(desk):
    return desk.shelf.load_trend(str(UP), desk.promote_trend())


@pytest.fixture
def unproven(desk):
    return desk.shelf.load_trend(str(UP), desk.shelve_trend(changes={"served_by": "momentum"}))


def test_without_a_model_the_random_walk_answers_and_says_so():
    made = forecast()
    assert made.probability == random_walk_probability(CANDLES.ohlcv[-250:], TrendLabel(), "up")[-1]
    assert (made.served_by, made.is_baseline, made.model_version) == ("random_walk", True, None)
    assert made.challenger is None


def test_every_yardstick_stands_beside_the_answer():
    made = forecast()
    close = CANDLES.ohlcv[:, 3]
    momentum = 1 / (1 + np.exp(1.0 - 10.0 * (close[-1] / close[-10:].mean() - 1)))
    assert made.baselines == {
        "base_rate": 0.25,
        "momentum": pytest.approx(momentum),
        "random_walk": made.probability,
    }


def test_a_champion_answers_from_the_indicators_of_the_last_candle(promoted):
    made = forecast(TrendModels(promoted))
    expected = ToyTrendModel().probability(last_indicators(CANDLES.ohlcv)[None])[0]
    assert made.probability == pytest.approx(expected, abs=1e-6)
    assert (made.served_by, made.is_baseline, made.model_version) == ("toy", False, 1)
    assert made.challenger is None


def test_a_baseline_that_was_proven_better_than_the_random_walk_answers_in_its_place(unproven):
    made = forecast(TrendModels(newest=unproven))
    assert (made.served_by, made.is_baseline) == ("momentum", True)
    assert made.probability == made.baselines["momentum"]


def test_a_model_that_is_not_proven_is_shown_beside_the_answer_and_marked(unproven):
    challenger = forecast(TrendModels(newest=unproven)).challenger
    assert (challenger.version, challenger.model, challenger.is_proven) == (1, "toy", False)
    assert challenger.probability == pytest.approx(
        ToyTrendModel().probability(last_indicators(CANDLES.ohlcv)[None])[0], abs=1e-6
    )


def test_a_version_promoted_by_hand_answers_with_what_it_earned(unproven):
    made = forecast(TrendModels(champion=unproven))
    assert (made.served_by, made.is_baseline, made.model_version) == ("momentum", True, 1)
    assert made.challenger.version == 1


def test_a_newer_version_that_asks_another_question_is_no_challenger(desk, promoted):
    label = TrendLabelRecord(kind="touch", average=10, horizon=5, threshold=0.1)
    newest = desk.shelf.load_trend(str(UP), desk.shelve_trend(changes={"label": label}))
    made = forecast(TrendModels(promoted, newest))
    assert made.challenger is None
    assert made.label == TrendLabel()


def test_the_question_is_that_of_the_shelved_model(desk):
    label = TrendLabelRecord(kind="touch", average=10, horizon=5, threshold=0.1)
    newest = desk.shelf.load_trend(
        str(UP), desk.shelve_trend(changes={"label": label, "served_by": "random_walk"})
    )
    made = forecast(TrendModels(newest=newest))
    assert made.label == TrendLabel("touch", 10, 5, 0.1)
    assert made.target_time == END + timedelta(days=5)
    assert made.probability == random_walk_probability(CANDLES.ohlcv[-250:], made.label, "up")[-1]


def test_up_and_down_are_two_questions():
    assert forecast(name=UP).direction == "up"
    assert forecast(name=DOWN).direction == "down"
    assert forecast(name=DOWN).probability != forecast(name=UP).probability


def test_the_candles_before_the_warm_up_change_nothing(promoted):
    recent = CandleArrays.from_frame(daily_candles().tail(250))
    assert forecast(TrendModels(promoted), candles=recent) == forecast(TrendModels(promoted))


def test_fewer_candles_than_the_indicators_read_are_refused_in_one_line():
    few = CandleArrays.from_frame(daily_candles().tail(249))
    with pytest.raises(NotEnoughHistoryError) as refused:
        forecast(candles=few)
    assert str(refused.value) == (
        "SOL/USDT 1d: a trend forecast needs 250 candles, found 249; "
        "run `mur fetch SOL/USDT --timeframe 1d --since 365d`"
    )


def test_candles_that_do_not_end_at_the_cutoff_are_a_mistake_of_ours():
    with pytest.raises(ValueError, match="not at the cutoff"):
        trend_forecast(UP, END - DAY.duration, CANDLES, TrendForecasters("replay", TrendModels(), None, None))


def test_missing_days_are_filled(empty_desk):
    days = daily_candles()
    empty_desk.add_days(days[:-20]).add_days(days[-18:])
    series = empty_desk.view.find(SOL, DAY)
    assert len(known_candles(empty_desk.view, series, END, is_whole=True)) == 400


def test_a_missing_month_among_the_days_that_are_read_is_refused(empty_desk):
    days = daily_candles()
    empty_desk.add_days(days[:-80]).add_days(days[-50:])
    series = empty_desk.view.find(SOL, DAY)
    with pytest.raises(DataError, match="candles missing"):
        known_candles(empty_desk.view, series, END, is_whole=False)


def test_baselines_are_fitted_on_the_stored_history_where_nothing_is_shelved(desk):
    candles = known_candles(desk.view, desk.view.find(SOL, DAY), desk.clock.now(), is_whole=True)
    found = gather_forecasters(desk.view, UP, TrendModels(), candles)
    labels = trend_labels(CANDLES.ohlcv, TrendLabel(), "up")
    assert found.base_rate == base_rate(labels, np.arange(400))
    assert found.momentum.slope > 0


def test_baselines_of_a_history_with_a_hole_come_from_after_it(empty_desk):
    days = daily_candles(600)
    empty_desk.add_days(days[:200]).add_days(days[-320:])
    candles = known_candles(empty_desk.view, empty_desk.view.find(SOL, DAY), END, is_whole=True)
    assert len(candles) == 250


def test_baselines_are_those_of_the_shelved_model_where_there_is_one(desk, promoted):
    found = gather_forecasters(desk.view, UP, TrendModels(promoted), CANDLES)
    assert found.base_rate == 0.3
    assert found.momentum == MomentumFit(-1.2, 20.0)
