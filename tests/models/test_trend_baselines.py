import math

import numpy as np
import polars as pl
import pytest

from make_us_rich.features.indicators import WARM_UP
from make_us_rich.features.trend_labels import TrendLabel, trend_labels
from make_us_rich.market.candle import CandleArrays
from make_us_rich.models.trend_baselines import (
    MomentumFit,
    base_rate,
    daily_volatility,
    fit_momentum,
    momentum,
    normal_cdf,
    random_walk_probability,
)

SIGMA = 0.03
KINDS = [
    TrendLabel(),
    TrendLabel(horizon=4),
    TrendLabel(horizon=15),
    TrendLabel("close-change"),
    TrendLabel("touch"),
]


@pytest.fixture(scope="module")
def days(candles_folder) -> np.ndarray:
    candles = pl.read_parquet(candles_folder / "BINANCE" / "ETH-USDT" / "1d.parquet")
    return CandleArrays.from_frame(candles).ohlcv[:1500]


def candles_of(close) -> np.ndarray:
    close = np.asarray(close, dtype=float)
    return np.stack([close, close, close, close, np.ones_like(close)], axis=1)


def steady_walk(count: int) -> np.ndarray:
    """Closes that rise and fall by turns, so that the volatility is exactly SIGMA."""
    return candles_of(100 * np.exp(SIGMA * (np.arange(count) % 2)))


def many_futures(history: np.ndarray, horizon: int, count: int) -> np.ndarray:
    """Random walks that go on from the last close, 48 small steps a day: closes, highs and lows."""
    steps = np.random.default_rng(7).normal(0, SIGMA / math.sqrt(48), (count, horizon, 48))
    paths = history[-1, 3] * np.exp(np.cumsum(steps.reshape(count, -1), axis=1)).reshape(count, horizon, 48)
    return np.stack([paths[:, :, -1], paths.max(axis=2), paths.min(axis=2)], axis=-1)


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("label", KINDS, ids=lambda label: f"{label.kind} {label.horizon}")
def test_the_formula_says_how_often_walks_come_there(label, direction):
    history = steady_walk(300)
    future = np.ones((4000, label.horizon, 5))
    future[:, :, [3, 1, 2]] = many_futures(history, label.horizon, 4000)
    came = [
        trend_labels(np.concatenate([history, path]), label, direction)[len(history) - 1] for path in future
    ]
    expected = random_walk_probability(history, label, direction)[-1]
    # 4,000 walks know a share to ±0.016; a touch between two of the small steps is missed, 0.02 at most
    assert np.mean(came) == pytest.approx(expected, abs=0.04 if label.kind == "touch" else 0.025)


def test_the_published_question_has_its_known_formula():
    history = steady_walk(301)
    ratio = history[-1, 3] / history[-10:, 3].mean()
    score = (math.log(1.05) - math.log(ratio)) / (SIGMA * math.sqrt(3.85))
    expected = 1 - normal_cdf(np.array([score]))[0]
    assert random_walk_probability(history, TrendLabel(), "up")[-1] == pytest.approx(expected, rel=1e-9)


def test_an_average_of_one_close_asks_for_the_close(days):
    one, other = TrendLabel(average=1), TrendLabel("close-change")
    for direction in ("up", "down"):
        assert np.array_equal(
            random_walk_probability(days, one, direction),
            random_walk_probability(days, other, direction),
            equal_nan=True,
        )


def test_a_touch_is_twice_as_likely_as_a_close_beyond(days):
    touch = random_walk_probability(days, TrendLabel("touch"), "down")[50:]
    close = random_walk_probability(days, TrendLabel("close-change"), "down")[50:]
    inside = close > 1e-3
    assert np.allclose(touch[inside], 2 * close[inside])


def test_a_fall_that_the_known_closes_rule_out_is_not_expected():
    risen = candles_of([100.0] * 300 + [1000.0] * 2)  # even a next close of 0 leaves the average above 95 %
    assert random_walk_probability(risen, TrendLabel(horizon=1), "down")[-1] == 1e-4
    assert random_walk_probability(risen, TrendLabel(horizon=10), "down")[-1] > 1e-4


@pytest.mark.parametrize("label", KINDS, ids=lambda label: f"{label.kind} {label.horizon}")
@pytest.mark.parametrize("ohlcv", [candles_of([100.0] * 300), steady_walk(300)], ids=["constant", "steady"])
def test_probabilities_are_never_0_or_1(ohlcv, label):
    for direction in ("up", "down"):
        values = random_walk_probability(ohlcv, label, direction)
        assert np.isnan(values[:20]).all()
        assert ((values[20:] >= 1e-4) & (values[20:] <= 1 - 1e-4)).all()


def test_the_walk_is_the_same_online_and_offline(days):
    whole = random_walk_probability(days, TrendLabel(), "up")
    assert whole[900] == pytest.approx(random_walk_probability(days[:901], TrendLabel(), "up")[-1], abs=1e-12)
    online = random_walk_probability(days[901 - WARM_UP : 901], TrendLabel(), "up")[-1]
    assert whole[900] == pytest.approx(online, abs=1e-12)


def test_volatility_forgets_with_the_published_decay():
    close = np.exp(np.cumsum([0.0] * 1000 + [0.1] + [0.0] * 10))
    volatility = daily_volatility(close)
    assert volatility[1001] / volatility[1000] == pytest.approx(math.sqrt(0.94))
    assert volatility[1000] == pytest.approx(0.1 * math.sqrt(1 - 0.94), rel=1e-3)


def test_too_few_candles_give_no_probability():
    assert np.isnan(random_walk_probability(steady_walk(15), TrendLabel(), "up")).all()
    assert np.isnan(MomentumFit(0.0, 1.0).probability(steady_walk(5))).all()


def test_the_base_rate_counts_the_rows_that_have_closed():
    labels = np.array([1.0, 0.0, 0.0, 1.0, np.nan])
    assert base_rate(labels, np.arange(5)) == 0.5
    assert base_rate(labels, np.array([1, 2])) == 1e-4
    with pytest.raises(ValueError, match="none of 1 rows has a label"):
        base_rate(labels, np.array([4]))


def test_momentum_finds_the_regression_that_made_the_labels():
    random = np.random.default_rng(3)
    candles = candles_of(100 * np.exp(np.cumsum(random.normal(0, 0.03, 40_000))))
    truth = MomentumFit(-1.5, 20.0)
    labels = (random.random(40_000) < truth.probability(candles)).astype(float)
    fit = fit_momentum(candles, labels, np.arange(40_000))
    assert fit.intercept == pytest.approx(-1.5, abs=0.05)
    assert fit.slope == pytest.approx(20.0, abs=1.0)


def test_momentum_fits_its_rows_and_no_others(days):
    labels = trend_labels(days, TrendLabel(), "up")
    rows = np.arange(250, 700)
    later = labels.copy()
    later[700:] = 1 - later[700:]
    assert fit_momentum(days, labels, rows) == fit_momentum(days, later, rows)


def test_labels_that_can_be_separated_keep_the_slope_finite():
    candles = candles_of(100 + 10 * np.sin(np.arange(400) / 5))
    labels = (momentum(candles) > 0).astype(float)
    fit = fit_momentum(candles, labels, np.arange(20, 400))
    assert 0 < fit.slope < 1e6
    probability = fit.probability(candles)[20:]
    assert ((probability > 0.5) == (labels[20:] == 1)).mean() > 0.95


def test_one_far_row_does_not_upset_the_fit(days):
    candles = days.copy()
    candles[400, 3] *= 50  # a first trading day can look like this
    labels = trend_labels(days, TrendLabel(), "up")
    fit = fit_momentum(candles, labels, np.arange(300, 900))
    assert np.isfinite([fit.intercept, fit.slope]).all()


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_one_class_only_leaves_the_base_rate(days, answer):
    fit = fit_momentum(days, np.full(len(days), answer), np.arange(100, 400))
    assert fit.slope == 0
    assert fit.probability(days)[-1] == pytest.approx(abs(answer - 1e-4))
