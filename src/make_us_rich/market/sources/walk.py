"""A simulated market: a random walk in minutes, built week by week so that its past never changes.

The log price moves by independent Gaussian steps of mean zero, so no rule can tell its direction. The
size of the steps can be told, as in real markets: the log volatility of an hour remembers the hours
before, and each hour of the day has its own level.
"""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.market.symbol import Symbol

EPOCH = datetime(2022, 1, 1, tzinfo=UTC)
HOURS = 168
MINUTES = HOURS * 60

DAILY_VOLATILITY = 0.022  # at the log level 0
_LIVELIEST_HOUR = 15  # UTC
_DAILY_TURNOVER = 5e8  # in quote currency
_SIGNIFICANT_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Climate:
    """How the size of the steps changes; with `spread` and `cycle` at 0 it never does.

    The log volatility of an hour keeps the share `memory` of the hour before and has the standard deviation
    `spread`; `cycle` is half the log difference between the liveliest hour of the day and the quietest.
    """

    memory: float = 0.98
    spread: float = 0.5
    cycle: float = 0.35

    @property
    def shock(self) -> float:
        """Standard deviation of what an hour adds to the log volatility."""
        return float(self.spread * np.sqrt(1 - self.memory**2))

    def daily_level(self, hours: NDArray[np.int64]) -> FloatArray:
        """Return the log level of each hour since `EPOCH`, which is a midnight."""
        level: FloatArray = self.cycle * np.cos(2 * np.pi * (hours % 24 - _LIVELIEST_HOUR) / 24)
        return level


STILL = Climate(spread=0.0, cycle=0.0)


@dataclass(frozen=True, slots=True)
class WalkState:
    """Where the walk stands between two weeks."""

    log_price: float
    log_volatility: float


@dataclass(frozen=True, slots=True)
class Walk:
    """The recipe of one coin's path; the same recipe always gives the same candles."""

    symbol: Symbol
    start_price: float
    seed: int
    climate: Climate = Climate()

    @property
    def start(self) -> WalkState:
        """The state at `EPOCH`."""
        return WalkState(float(np.log(self.start_price)), 0.0)

    def simulate_week(self, week: int, state: WalkState) -> tuple[FloatArray, WalkState]:
        """Return the minute candles (10080, 5) of a week since `EPOCH`, and the state after it."""
        rng = self._generator(week)
        log_volatility = self._log_volatility(rng, state)
        hourly_level = np.repeat(np.exp(log_volatility + self.climate.daily_level(np.arange(HOURS))), 60)
        volatility = DAILY_VOLATILITY / np.sqrt(1440) * hourly_level  # (10080,)
        surprise = rng.standard_normal(MINUTES)
        log_close = state.log_price + np.cumsum(volatility * surprise)
        log_open = np.concatenate([[state.log_price], log_close[:-1]])
        high, low = _extremes(log_open, log_close, volatility, rng)
        prices = self._rounded(np.exp(np.column_stack([log_open, high, low, log_close])))
        turnover = _DAILY_TURNOVER / 1440 * hourly_level * (0.4 + np.abs(surprise))
        volume = turnover * rng.lognormal(0.0, 0.4, MINUTES) / prices[:, 3]
        candles = np.column_stack([prices, volume.round(6)])
        return candles, WalkState(float(log_close[-1]), float(log_volatility[-1]))

    def log_volatility(self, week: int, state: WalkState) -> FloatArray:
        """Return what no forecaster sees: the log volatility (168,) of each hour, less its daily level."""
        return self._log_volatility(self._generator(week), state)

    def _generator(self, week: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(str(self.symbol).encode()), week])

    def _log_volatility(self, rng: np.random.Generator, state: WalkState) -> FloatArray:
        levels = np.empty(HOURS)
        previous = state.log_volatility
        for hour, shock in enumerate(rng.standard_normal(HOURS)):
            previous = self.climate.memory * previous + self.climate.shock * shock
            levels[hour] = previous
        return levels

    def _rounded(self, prices: FloatArray) -> FloatArray:
        decimals = _SIGNIFICANT_DIGITS - 1 - int(np.floor(np.log10(self.start_price)))
        return np.maximum(prices.round(decimals), 10.0**-decimals)


def resample(candles: FloatArray, size: int) -> FloatArray:
    """Merge every `size` consecutive candles (n, 5) into one; n must be a multiple of `size`."""
    groups = candles.reshape(-1, size, 5)
    return np.column_stack(
        [
            groups[:, 0, 0],
            groups[:, :, 1].max(axis=1),
            groups[:, :, 2].min(axis=1),
            groups[:, -1, 3],
            groups[:, :, 4].sum(axis=1).round(6),
        ]
    )


def _extremes(
    log_open: FloatArray, log_close: FloatArray, volatility: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    # the highest point of a Brownian path between two known ends has this exact distribution
    middle, difference = log_open + log_close, log_close - log_open
    above, below = (difference**2 - 2 * volatility**2 * np.log1p(-rng.random((2, MINUTES)))) ** 0.5
    return (middle + above) / 2, (middle - below) / 2
