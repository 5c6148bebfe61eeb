import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.features.indicator_library import load_talib
from make_us_rich.features.indicators import INDICATOR_NAMES, WARM_UP, indicator_matrix, last_indicators
from make_us_rich.market.candle import CandleArrays


@pytest.fixture(scope="module")
def days(candles_folder) -> np.ndarray:
    candles = pl.read_parquet(candles_folder / "BINANCE" / "SOL-USDT" / "1d.parquet")
    return CandleArrays.from_frame(candles).ohlcv[:700]


def candles_of(close, *, volume=10.0) -> np.ndarray:
    close = np.asarray(close, dtype=float)
    return np.stack([close, close * 1.01, close * 0.99, close, np.full_like(close, volume)], axis=1)


def last_row(ohlcv) -> dict[str, float]:
    return dict(zip(INDICATOR_NAMES, last_indicators(ohlcv).tolist(), strict=True))


def test_there_are_nineteen_different_names():
    assert len(set(INDICATOR_NAMES)) == 19


def test_rows_before_the_warm_up_are_missing_and_all_others_are_numbers(days):
    matrix = indicator_matrix(days)
    assert matrix.shape == (700, 19)
    assert np.isnan(matrix[: WARM_UP - 1]).all()
    assert np.isfinite(matrix[WARM_UP - 1 :]).all()


def test_a_row_does_not_change_when_the_future_is_cut_off(days):
    assert np.array_equal(indicator_matrix(days)[:500], indicator_matrix(days[:500]), equal_nan=True)


def test_a_row_does_not_depend_on_how_long_the_history_is(days):
    online = last_indicators(days[-WARM_UP:])
    assert np.array_equal(indicator_matrix(days)[-1], online)
    assert np.array_equal(last_indicators(days), online)


def test_the_sums_of_volume_begin_with_the_window_too(days):
    before = days.copy()
    before[: 700 - WARM_UP] *= 3
    assert np.array_equal(last_indicators(before), last_indicators(days))


def test_averages_are_compared_in_percent():
    row = last_row(candles_of([100.0] * 298 + [110.0, 120.0]))
    assert row["2_day_SMA_10_day_SMA_pct_diff"] == pytest.approx((115 / 103 - 1) * 100)
    assert row["2_day_SMA_20_day_SMA_pct_diff"] == pytest.approx((115 / 101.5 - 1) * 100)
    assert row["10_day_SMA_20_day_SMA_pct_diff"] == pytest.approx((103 / 101.5 - 1) * 100)


def test_the_oscillator_takes_simple_averages(days):
    expected = load_talib().PPO(np.ascontiguousarray(days[:, 3]), 12, 26, 0)[
        -1
    ]  # 0: simple, Alpha Vantage's default
    assert last_row(days)["PPO"] == pytest.approx(expected)


def test_a_steady_rise_reads_as_one():
    row = last_row(candles_of(100 * 1.01 ** np.arange(300)))
    assert row["7_day_RSI"] == pytest.approx(100)
    assert (row["AroonUp"], row["AroonDown"]) == (100, 0)
    assert row["7_day_MFI"] == pytest.approx(100)
    assert row["7_day_TRIX"] == pytest.approx(100)  # 1 % a day, in percent, times a hundred
    assert row["MACD_Hist"] == pytest.approx(row["MACD"] - row["MACD_Signal"])


def test_the_bands_are_measured_in_percent_of_the_lower_one():
    close = [100.0] * 293 + [99.0, 101.0, 99.0, 101.0, 99.0, 101.0, 100.0]
    deviation = np.std(close[-7:])
    expected = 4 * deviation / (100 - 2 * deviation) * 100
    assert last_row(candles_of(close))["BBANDS_distance_pct"] == pytest.approx(expected)


def test_on_balance_volume_changes_by_a_days_volume():
    close = 100 + np.arange(300.0)  # OBV of 250 rising days: 250 times the volume
    assert last_row(candles_of(close))["OBV_pct_change"] == pytest.approx(100 / 249)


@pytest.mark.parametrize(
    "ohlcv",
    [
        np.tile([100.0, 100.0, 100.0, 100.0, 5.0], (300, 1)),
        np.tile([100.0, 100.0, 100.0, 100.0, 0.0], (300, 1)),
        candles_of(100 + np.sin(np.arange(300.0)), volume=0.0),
        candles_of(1e-7 * (1 + np.arange(300) % 5), volume=1e15),
        candles_of([1.0] * 296 + [80.0, 1.0, 1.0, 1.0]),
        candles_of(100 + np.arange(300) % 2),
    ],
    ids=["constant price", "nothing moves", "no volume", "tiny price", "lower band below 0", "OBV around 0"],
)
def test_strange_candles_still_give_numbers(ohlcv):
    rows = indicator_matrix(ohlcv)[WARM_UP - 1 :]
    assert np.isfinite(rows).all()
    assert np.abs(rows[:, INDICATOR_NAMES.index("OBV_pct_change")]).max() <= 100
    assert rows[:, INDICATOR_NAMES.index("BBANDS_distance_pct")].max() <= 1000


def test_too_short_a_history_gives_no_row():
    assert np.isnan(indicator_matrix(candles_of([100.0] * 60))).all()
    with pytest.raises(NotEnoughHistoryError, match="need 250 candles, found 60; fetch more"):
        last_indicators(candles_of([100.0] * 60))


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match="shape"):
        indicator_matrix(np.ones((300, 4)))


def test_the_indicators_load_no_pandas():
    program = (
        "import sys, numpy; from make_us_rich.features.indicators import last_indicators;"
        "last_indicators(numpy.ones((250, 5))); print('talib' in sys.modules, 'pandas' in sys.modules);"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["True", "False"]
