"""The nineteen indicators of the published trend recipe, from daily candles with TA-Lib.

The recipe (O. Stefanou, "How to manage a pool of machine learning models for crypto trading", 2024) asked
Alpha Vantage for them with a period of 7 days and its defaults elsewhere; the names are his. Wilder's
averages, the exponential ones and the running sums of volume never forget where they began, so each row
begins `WARM_UP` candles back: the value is the same whether a service holds 250 candles or a training five
years.
"""

import re

import numpy as np
import polars as pl

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.features.indicator_library import load_talib
from make_us_rich.market.candle import VALUE_COLUMNS

INDICATOR_NAMES = (
    "7_day_ADX",
    "AroonDown",
    "AroonUp",
    "MACD",
    "MACD_Signal",
    "MACD_Hist",
    "7_day_RSI",
    "SlowK",
    "SlowD",
    "7_day_MFI",
    "7_day_DX",
    "7_day_TRIX",
    "PPO",
    "OBV_pct_change",
    "AD_pct_change",
    "BBANDS_distance_pct",
    "2_day_SMA_10_day_SMA_pct_diff",
    "2_day_SMA_20_day_SMA_pct_diff",
    "10_day_SMA_20_day_SMA_pct_diff",
)
WARM_UP = 250  # candles a row reads, its own included; an average over 26 days then forgets all but 3e-8
LARGEST_PERCENTAGE = 100.0  # of one day's change of OBV and A/D: both cross 0, and there it has no meaning
LARGEST_WIDTH = 1000.0  # of the Bollinger bands, in percent; the lower band of a wild week can fall below 0

_DAYS = 7


def indicator_matrix(ohlcv: FloatArray) -> FloatArray:
    """Return the indicators (n, 19) of candles (n, 5), in the order of `INDICATOR_NAMES`.

    Row t is computed from candles t - 249 to t and nothing else; rows before the 250th are NaN. Later rows
    are finite for every possible candle, those of a constant price or without volume included.
    """
    columns = _columns(ohlcv)
    matrix = np.full((len(ohlcv), len(INDICATOR_NAMES)), np.nan)
    for end in range(WARM_UP, len(ohlcv) + 1):
        matrix[end - 1] = _last_row(columns[:, end - WARM_UP : end])
    return matrix


def last_indicators(ohlcv: FloatArray) -> FloatArray:
    """Return the indicators (19,) of the last candle alone; equal to the last row of the matrix.

    Raises `NotEnoughHistoryError` below `WARM_UP` candles.
    """
    if len(ohlcv) < WARM_UP:
        raise NotEnoughHistoryError(
            f"the trend indicators need {WARM_UP} candles, found {len(ohlcv)}; fetch more with `mur fetch`"
        )
    return np.array(_last_row(_columns(ohlcv[-WARM_UP:])))


def trend_indicators(candles: pl.DataFrame) -> pl.DataFrame:
    """Return the indicators as columns, one row per candle; null before the 250th."""
    matrix = indicator_matrix(candles.select(VALUE_COLUMNS).to_numpy().astype(np.float64))
    return pl.DataFrame(matrix, schema=list(INDICATOR_NAMES), orient="row").fill_nan(None)


def snake_case(indicator: str) -> str:
    """Return the name an indicator has as a column that models may read.

    >>> [snake_case(name) for name in ("7_day_ADX", "AroonDown", "MACD_Hist")]
    ['7_day_adx', 'aroon_down', 'macd_hist']
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", indicator).lower()


def _columns(ohlcv: FloatArray) -> FloatArray:
    if ohlcv.ndim != 2 or ohlcv.shape[1] != 5:
        raise ValueError(f"candles have the shape {ohlcv.shape}; (n, 5) is needed")
    return np.ascontiguousarray(ohlcv.T, dtype=np.float64)  # TA-Lib reads whole columns


def _last_row(window: FloatArray) -> list[float]:
    talib = load_talib()
    _, high, low, close, volume = window  # each (WARM_UP,)
    aroon_down, aroon_up = talib.AROON(high, low, _DAYS)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    slow_k, slow_d = talib.STOCH(high, low, close, fastk_period=5, slowk_period=3, slowd_period=3)
    return [
        talib.ADX(high, low, close, _DAYS)[-1],
        aroon_down[-1],
        aroon_up[-1],
        macd[-1],
        signal[-1],
        histogram[-1],
        talib.RSI(close, _DAYS)[-1],
        slow_k[-1],
        slow_d[-1],
        talib.MFI(high, low, close, volume, _DAYS)[-1],
        talib.DX(high, low, close, _DAYS)[-1],
        talib.TRIX(close, _DAYS)[-1] * 100,  # times a hundred is the recipe's
        _average_difference(close, 12, 26),  # PPO: simple averages are the default of Alpha Vantage
        _percentage_change(talib.OBV(close, volume)),
        _percentage_change(talib.AD(high, low, close, volume)),
        _band_width(close),
        _average_difference(close, 2, 10),
        _average_difference(close, 2, 20),
        _average_difference(close, 10, 20),
    ]


def _percentage_change(running: FloatArray) -> float:
    before, now = float(running[-2]), float(running[-1])
    if before == 0:
        return 0.0
    return max(-LARGEST_PERCENTAGE, min(LARGEST_PERCENTAGE, (now - before) / before * 100))


def _band_width(close: FloatArray) -> float:
    upper, _, lower = load_talib().BBANDS(close[-_DAYS:], _DAYS, 2.0, 2.0)
    high, low = float(upper[-1]), float(lower[-1])
    return min(LARGEST_WIDTH, (high - low) / low * 100) if low > 0 else LARGEST_WIDTH


def _average_difference(close: FloatArray, fast: int, slow: int) -> float:
    return (_average(close, fast) / _average(close, slow) - 1) * 100


def _average(close: FloatArray, days: int) -> float:
    return float(load_talib().SMA(close[-days:], days)[-1])
