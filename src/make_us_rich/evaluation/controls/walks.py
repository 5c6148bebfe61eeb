"""Walks whose maker tells what no forecaster sees, and the oracle that forecasts with it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.metrics import interval_width
from make_us_rich.market.candle import CANDLE_SCHEMA, VALUE_COLUMNS
from make_us_rich.market.snapshot import Origin, Snapshot, take_snapshot
from make_us_rich.market.sources.walk import DAILY_VOLATILITY, EPOCH, Climate, Walk, resample
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import MEDIAN, QUANTILE_LEVELS

ORACLE = "oracle"
SYMBOL = Symbol("BTC", "USDT")
HOURLY = Timeframe("1h")
_START_PRICE = 46_216.0  # as in the simulated market, so that a lively walk is its BTC/USDT of that seed
_EPOCH_MS = round(EPOCH.timestamp() * 1000)
_SHAPE_DRAWS = 400_000


@dataclass(frozen=True, slots=True, eq=False)
class ControlWalk:
    """Hourly candles since `EPOCH` with the log volatility (n,) of each hour, less its daily level."""

    climate: Climate
    seed: int
    snapshot: Snapshot
    log_volatility: FloatArray


def simulate_walk(climate: Climate, seed: int, weeks: int) -> ControlWalk:
    """Return a walk; with the default climate it is BTC/USDT of the simulated market of that seed."""
    walk = Walk(SYMBOL, _START_PRICE, seed, climate)
    state = walk.start
    hours, levels = [], []
    for week in range(weeks):
        levels.append(walk.log_volatility(week, state))
        minutes, state = walk.simulate_week(week, state)
        hours.append(resample(minutes, 60))
    candles = _as_frame(np.concatenate(hours))
    end = EPOCH + timedelta(weeks=weeks)
    snapshot = take_snapshot(candles, SYMBOL, HOURLY, origin=Origin("simulated", f"walk-{seed}"), now=end)
    return ControlWalk(climate, seed, snapshot, np.concatenate(levels))


def with_oracle(backtest: Backtest, walk: ControlWalk) -> Backtest:
    """Return the backtest with one more forecaster, who knows the state of the walk at every cutoff.

    Nobody can do better: its scale is the root of the variance expected from that state on. Its shape is the
    distribution of return over scale; it is exact at one hour, and beyond averaged over all states.
    """
    rows = (backtest.cutoff_ms - _EPOCH_MS) // HOURLY.milliseconds - 1  # the last closed candle
    quantiles = np.stack(
        [
            oracle_scale(walk.climate, walk.log_volatility[rows], rows, h)[:, None]
            * oracle_shape(walk.climate, h)
            for h in backtest.horizons
        ],
        axis=1,
    )
    return replace(backtest, quantiles=backtest.quantiles | {ORACLE: quantiles})


def oracle_scale(
    climate: Climate, log_volatility: FloatArray, hours: NDArray[np.int64], horizon: int
) -> FloatArray:
    """Return the standard deviation (n,) of the return that follows `hours` (n,) since `EPOCH`."""
    ahead = np.arange(1, horizon + 1)
    decay = climate.memory**ahead
    mean = log_volatility[:, None] * decay + climate.daily_level(hours[:, None] + ahead)
    variance = np.exp(2 * mean + 2 * climate.spread**2 * (1 - decay**2))  # that of a log-normal's square
    scale: FloatArray = DAILY_VOLATILITY / np.sqrt(24) * np.sqrt(variance.sum(axis=1))
    return scale


@lru_cache(maxsize=32)
def oracle_shape(climate: Climate, horizon: int) -> FloatArray:
    """Return the quantiles (level,) of return / `oracle_scale`, from draws of the walk itself."""
    rng = np.random.default_rng(horizon)
    start = climate.spread * rng.standard_normal(_SHAPE_DRAWS)
    hours = rng.integers(0, 24, _SHAPE_DRAWS)
    state, variance = start, np.zeros(_SHAPE_DRAWS)
    for ahead in range(1, horizon + 1):
        state = climate.memory * state + climate.shock * rng.standard_normal(_SHAPE_DRAWS)
        variance += np.exp(2 * (state + climate.daily_level(hours + ahead)))
    returns = DAILY_VOLATILITY / np.sqrt(24) * np.sqrt(variance) * rng.standard_normal(_SHAPE_DRAWS)
    size = np.abs(returns) / oracle_scale(climate, start, hours, horizon)
    upper = np.quantile(size, 2 * np.array(QUANTILE_LEVELS[MEDIAN:]) - 1)  # steps are symmetric
    upper[0] = 0.0
    return np.concatenate([-upper[:0:-1], upper])


def scale_error(backtest: Backtest, name: str, position: int) -> FloatArray:
    """Return the log (n,) of how much wider a forecaster's 90 % interval is than the oracle's."""
    widths = [interval_width(backtest.quantiles[who][:, position]) for who in (name, ORACLE)]
    error: FloatArray = np.log(widths[0] / widths[1])
    return error


def _as_frame(values: FloatArray) -> pl.DataFrame:
    times = _EPOCH_MS + np.arange(len(values)) * HOURLY.milliseconds
    columns = {"open_time": times} | {name: values[:, i] for i, name in enumerate(VALUE_COLUMNS)}
    return pl.DataFrame(columns).cast(CANDLE_SCHEMA)
