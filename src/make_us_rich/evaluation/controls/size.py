"""How often the tests call one of two equally good forecasters better: their true size.

Two forecasters know the true scale of the coming return, each up to its own error e^(amplitude · u). Both u
are standard AR(1) processes with the same law, independent of each other and of the returns, so exchanging
the forecasters changes nothing and no loss difference can favour one: whatever passes is a false alarm.

What matters is how long u remembers. The loss grows with u², so while one forecaster is off for days its
losses are higher for days: loss differences correlate over the memory of u, far beyond the horizon.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.blocks import block_milliseconds, diebold_mariano_p_value, whole_blocks
from make_us_rich.evaluation.controls.normal import NORMAL_QUANTILES
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.market.sources.walk import Climate
from make_us_rich.market.timeframe import Timeframe

SIGNIFICANCE = 0.05
_HOURLY = Timeframe("1h")
_WEEK = 168


@dataclass(frozen=True, slots=True)
class TwoForecasters:
    """Two forecasters of hourly candles, equally good where their amplitudes are equal.

    `half_life_hours` is when the correlation of a scale error with itself has fallen to a half; 0 means that
    every hour errs anew.
    """

    horizon: int
    half_life_hours: float
    weeks: int = 30
    amplitudes: tuple[float, float] = (0.15, 0.15)


@dataclass(frozen=True, slots=True)
class SizeCount:
    """How many of `tests` passed at 5 %, by the block t test and by Diebold and Mariano's."""

    tests: int
    block: int
    diebold_mariano: int


def count_passes(question: TwoForecasters, replications: int, seed: int) -> SizeCount:
    """Count how often the first forecaster is called better than the second, on walks as the market's own.

    Equal forecasters are tested both ways, because either claim is false.
    """
    rng = np.random.default_rng(seed)
    true_scale, returns, week_volatility = _market(question, replications, rng)  # each (n, replication)
    u = [_remembering(rng, returns.shape, question.half_life_hours) for _ in range(2)]
    block, plain = [], []
    for k in range(replications):
        loss = [
            quantile_loss((true_scale[:, k] * np.exp(a * x[:, k]))[:, None] * NORMAL_QUANTILES, returns[:, k])
            for a, x in zip(question.amplitudes, u, strict=True)
        ]
        advantage = (loss[1] - loss[0]) / week_volatility[:, k]
        block.append(_block_p_value(advantage, question.horizon))
        plain.append(diebold_mariano_p_value(advantage, question.horizon))
    both_ways = question.amplitudes[0] == question.amplitudes[1]
    return SizeCount(
        tests=replications * (1 + both_ways),
        block=_passes(block, both_ways=both_ways),
        diebold_mariano=_passes(plain, both_ways=both_ways),
    )


def _market(
    question: TwoForecasters, replications: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    climate, n, h = Climate(), question.weeks * _WEEK, question.horizon
    hours = np.arange(_WEEK + n + h)
    half_life = np.log(0.5) / np.log(climate.memory)
    log_volatility = climate.spread * _remembering(rng, (len(hours), replications), half_life)
    volatility = np.exp(log_volatility + climate.daily_level(hours)[:, None])
    steps = volatility * rng.standard_normal(volatility.shape)
    cutoffs = np.arange(_WEEK, _WEEK + n)
    price, variance, squares = (_summed(x) for x in (steps, volatility**2, steps**2))
    return (
        np.sqrt(variance[cutoffs + h] - variance[cutoffs]),
        price[cutoffs + h] - price[cutoffs],
        np.sqrt((squares[cutoffs] - squares[cutoffs - _WEEK]) / _WEEK),
    )


def _remembering(rng: np.random.Generator, shape: tuple[int, ...], half_life: float) -> FloatArray:
    """Return standard normal columns that remember: AR(1) along the first axis, stationary from the start."""
    memory = 0.5 ** (1 / half_life) if half_life else 0.0
    values = rng.standard_normal(shape)
    values[1:] *= np.sqrt(1 - memory**2)
    for i in range(1, len(values)):
        values[i] += memory * values[i - 1]
    return values


def _summed(values: FloatArray) -> FloatArray:
    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])


def _block_p_value(advantage: FloatArray, horizon: int) -> float:
    cutoff_ms: NDArray[np.int64] = np.arange(len(advantage)) * _HOURLY.milliseconds
    block_ms = block_milliseconds(horizon, _HOURLY)
    return whole_blocks(advantage, cutoff_ms, block_ms, _HOURLY).p_value_above_zero()


def _passes(p_values: list[float], *, both_ways: bool) -> int:
    p = np.array(p_values)
    return int(np.sum(p < SIGNIFICANCE) + both_ways * np.sum(1 - p < SIGNIFICANCE))
