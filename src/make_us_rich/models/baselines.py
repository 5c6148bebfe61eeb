"""The naive yardsticks of a price forecast: no fitted parameter, nothing but past returns.

Both say that the close stays where it is. `persistence` spreads it by the quantiles of a year of returns;
`ewma_persistence` widens and narrows that spread with the exponentially weighted volatility of RiskMetrics
(J. P. Morgan/Reuters, RiskMetrics Technical Document, 1996).
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import HORIZONS, MEDIAN, NAIVE_BASELINES, QUANTILE_LEVELS

HISTORY_DAYS = 365
MINIMUM_DAYS = 90
EWMA_DECAY = 0.97  # of the variance, per candle
_EWMA_WARM_UP = 720
_EWMA_SEED = MINIMUM_DAYS  # candles that set the first value; the earliest row of any timeframe knows them
_SMALLEST_VOLATILITY = 1e-8


def baseline_quantiles(
    name: str, close: FloatArray, timeframe: Timeframe, horizons: tuple[int, ...] = HORIZONS
) -> FloatArray:
    """Return quantiles (horizon, level) of the log return of the close after the last one given.

    `close` is gap-free, oldest first; at most the last 365 days are used (and a warm-up for the
    volatility). Fewer than 90 days raise `NotEnoughHistoryError`.
    """
    day = timeframe.candles_per_day
    needed = MINIMUM_DAYS * day + max(horizons)
    if len(close) < needed:
        raise NotEnoughHistoryError(
            f"{name} needs {needed} {timeframe} candles ({MINIMUM_DAYS} days), found {len(close)}; "
            "fetch more with `mur fetch`"
        )
    log_close = np.log(close[-(HISTORY_DAYS * day + max(horizons) + _EWMA_WARM_UP) :])
    volatility = unit_volatility(name, log_close)
    return np.stack(
        [
            centred_quantiles(scaled_returns(log_close, volatility, h)[-HISTORY_DAYS * day :])
            * volatility[-1]
            for h in horizons
        ]
    )


def backtest_baseline(
    name: str,
    close: FloatArray,
    rows: NDArray[np.int64],
    timeframe: Timeframe,
    horizons: tuple[int, ...] = HORIZONS,
) -> FloatArray:
    """Return quantiles (row, horizon, level) of the log return after each of `rows`, refreshed once a day.

    At each row only returns whose target had closed by the start of that row's day of candles count.
    """
    day = timeframe.candles_per_day
    log_close = np.log(close)
    volatility = unit_volatility(name, log_close)
    quantiles = np.empty((len(rows), len(horizons), len(QUANTILE_LEVELS)))
    for j, h in enumerate(horizons):
        scaled = scaled_returns(log_close, volatility, h)  # scaled[i] is known at row i + h
        for start in range(0, len(rows), day):
            known = rows[start] - h + 1
            past = scaled[max(0, known - HISTORY_DAYS * day) : known]
            quantiles[start : start + day, j] = centred_quantiles(past)
    return quantiles * volatility[rows, None, None]


def unit_volatility(name: str, log_close: FloatArray) -> FloatArray:
    """Return what the baseline divides returns by at each row: 1, or the EWMA volatility of one candle."""
    if name not in NAIVE_BASELINES:
        raise ValueError(f"{name!r} is not one of {NAIVE_BASELINES}")
    if name == "persistence":
        return np.ones_like(log_close)
    squared = np.diff(log_close, prepend=log_close[0]) ** 2
    squared[0] = squared[1 : _EWMA_SEED + 1].mean()
    variance = pl.Series(squared).ewm_mean(alpha=1 - EWMA_DECAY, adjust=False).to_numpy()
    floored: FloatArray = np.maximum(np.sqrt(variance), _SMALLEST_VOLATILITY)
    return floored


def scaled_returns(log_close: FloatArray, volatility: FloatArray, horizon: int) -> FloatArray:
    """Return the log return over `horizon` from each row, in units of the volatility known at that row."""
    result: FloatArray = (log_close[horizon:] - log_close[:-horizon]) / volatility[:-horizon]
    return result


def centred_quantiles(returns: FloatArray) -> FloatArray:
    """Return the 13 quantiles moved so that the median is 0."""
    quantiles = np.quantile(returns, QUANTILE_LEVELS)
    centred: FloatArray = quantiles - quantiles[MEDIAN]
    return centred
