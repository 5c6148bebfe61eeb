import numpy as np
import pytest

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.baselines import (
    backtest_baseline,
    baseline_quantiles,
    centred_quantiles,
    unit_volatility,
)
from make_us_rich.models.quantiles import HORIZONS, MEDIAN, NAIVE_BASELINES, QUANTILE_LEVELS

HOURLY = Timeframe("1h")


def test_persistence_is_the_centred_quantiles_of_past_returns() -> None:
    rng = np.random.default_rng(1)
    returns = rng.normal(0, 0.01, 90 * 24 + 1)
    close = np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    expected = np.quantile(returns, QUANTILE_LEVELS)
    found = baseline_quantiles("persistence", close, HOURLY, (1,))
    np.testing.assert_allclose(found[0], expected - expected[MEDIAN], atol=1e-12)


def test_persistence_knows_only_the_last_365_days() -> None:
    wild = np.exp(np.cumsum(np.random.default_rng(2).normal(0, 1, 5000)))
    calm = wild[-1] * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.001, 365 * 24 + 1)))
    found = baseline_quantiles("persistence", np.concatenate([wild, calm]), HOURLY, (1,))
    assert np.abs(found).max() < 0.01


@pytest.mark.parametrize("name", NAIVE_BASELINES)
def test_baseline_claims_no_direction_and_its_quantiles_never_cross(
    name: str, bitcoin_arrays: CandleArrays
) -> None:
    quantiles = baseline_quantiles(name, bitcoin_arrays.ohlcv[:, 3], HOURLY)
    assert quantiles.shape == (len(HORIZONS), 13)
    assert (quantiles[:, MEDIAN] == 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()


@pytest.mark.parametrize("name", NAIVE_BASELINES)
def test_baseline_served_equals_the_one_that_was_backtested(name: str, bitcoin_arrays: CandleArrays) -> None:
    close = bitcoin_arrays.ohlcv[:, 3]
    last = np.array([len(close) - 1])
    served = baseline_quantiles(name, close, HOURLY)
    backtested = backtest_baseline(name, close, last, HOURLY)[0]
    np.testing.assert_allclose(served, backtested, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", NAIVE_BASELINES)
def test_backtested_baseline_is_unchanged_when_the_future_is_cut_off(
    name: str, bitcoin_arrays: CandleArrays
) -> None:
    close = bitcoin_arrays.ohlcv[:, 3]
    rows = np.arange(2500, 2560)
    whole = backtest_baseline(name, close, rows, HOURLY)
    cut = backtest_baseline(name, close[:2560], rows, HOURLY)
    np.testing.assert_array_equal(whole, cut)


def test_the_first_daily_row_does_not_know_the_days_after_it() -> None:
    close = np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.03, 800) * np.linspace(0.5, 3, 800)))
    rows, daily = np.array([92]), Timeframe("1d")
    whole, cut = (backtest_baseline("ewma_persistence", c, rows, daily, (1,)) for c in (close, close[:93]))
    assert np.array_equal(whole, cut)


def test_ewma_persistence_is_wider_after_a_wild_day() -> None:
    calm = np.random.default_rng(4).normal(0, 0.002, 3000)
    wild = np.concatenate([calm, np.random.default_rng(5).normal(0, 0.02, 24)])
    width = [
        np.ptp(baseline_quantiles("ewma_persistence", np.exp(np.cumsum(returns)), HOURLY, (1,)))
        for returns in (calm, wild)
    ]
    assert width[1] > 3 * width[0]


def test_baseline_refuses_less_than_ninety_days() -> None:
    with pytest.raises(NotEnoughHistoryError, match=r"needs 2184 1h candles \(90 days\), found 100"):
        baseline_quantiles("persistence", np.ones(100), HOURLY)


def test_baseline_of_a_constant_price_is_a_point() -> None:
    for name in NAIVE_BASELINES:
        assert (baseline_quantiles(name, np.full(3000, 3.0), HOURLY) == 0).all()


def test_unit_volatility_names_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="'drift' is not one of"):
        unit_volatility("drift", np.zeros(3))


def test_centred_quantiles_have_their_median_at_zero() -> None:
    assert centred_quantiles(np.array([1.0, 2.0, 9.0]))[MEDIAN] == 0
