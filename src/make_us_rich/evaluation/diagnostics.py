"""Where a forecaster is right and where it is not: by level, by hour of day, by the width it announced.

Every estimate is a ratio of sums over forecasts. Its interval comes from whole calendar blocks, as forecasts
near each other err together: the residual, numerator - ratio * denominator, is averaged per block
(Cochran, "Sampling Techniques" (1977), ch. 6).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.blocks import block_milliseconds, whole_blocks
from make_us_rich.evaluation.metrics import interval_width
from make_us_rich.evaluation.student_t import t_quantile
from make_us_rich.models.quantiles import QUANTILE_LEVELS

N_WIDTH_BINS = 10
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio over `n` forecasts; `half_width` of its 95 % interval is infinite below two whole blocks."""

    value: float
    half_width: float
    n: int


@dataclass(frozen=True, slots=True)
class WidthBin:
    """Forecasts of similar width: the mean width of the 90 % interval and the mean absolute move after it.

    Both are in log return.
    """

    width: float
    move: Estimate


def reliability(backtest: Backtest, name: str, position: int) -> tuple[Estimate, ...]:
    """Return, per quantile level, the share of closes at or below the quantile."""
    below = backtest.returns[:, position, None] <= backtest.quantiles[name][:, position]
    everything = np.ones(len(backtest))
    return tuple(
        ratio_estimate(backtest, below[:, k].astype(np.float64), everything, position)
        for k in range(len(QUANTILE_LEVELS))
    )


def relative_loss_by_hour(
    backtest: Backtest, loss: FloatArray, baseline_loss: FloatArray, position: int
) -> dict[int, Estimate]:
    """Return, per UTC hour of the cutoff, the loss over that of the baseline, both (n,)."""
    hour = backtest.cutoff_ms // _HOUR_MS % 24
    return {
        int(h): ratio_estimate(backtest, loss * (hour == h), baseline_loss * (hour == h), position)
        for h in np.unique(hour)
    }


def move_by_width(
    backtest: Backtest, name: str, position: int, n_bins: int = N_WIDTH_BINS
) -> tuple[WidthBin, ...]:
    """Return equal-sized bins of forecasts, narrow to wide, each with the moves that followed."""
    width = interval_width(backtest.quantiles[name][:, position])
    move = np.abs(backtest.returns[:, position])
    rank = np.argsort(np.argsort(width, kind="stable"), kind="stable")
    bin_of = rank * n_bins // max(len(width), 1)
    return tuple(
        WidthBin(
            float(width[inside].mean()),
            ratio_estimate(backtest, move * inside, inside.astype(np.float64), position),
        )
        for k in np.unique(bin_of)
        for inside in [bin_of == k]
    )


def ratio_estimate(
    backtest: Backtest, numerator: FloatArray, denominator: FloatArray, position: int
) -> Estimate:
    """Return Σ numerator / Σ denominator with its block interval; NaN where the denominator sums to 0.

    Both are (n,), and 0 in rows that do not take part.
    """
    n = int(np.count_nonzero(denominator))
    if not np.sum(denominator):
        return Estimate(math.nan, math.inf, n)
    value = float(np.sum(numerator) / np.sum(denominator))
    block_ms = block_milliseconds(backtest.horizons[position], backtest.timeframe)
    blocks = whole_blocks(numerator - value * denominator, backtest.cutoff_ms, block_ms, backtest.timeframe)
    if len(blocks) < 2:
        return Estimate(value, math.inf, n)
    half_width = _t_quantile(len(blocks) - 1) * blocks.standard_error
    return Estimate(value, half_width / float(np.mean(denominator)), n)


@lru_cache(maxsize=64)
def _t_quantile(degrees: int) -> float:
    # a report asks a thousand times for the same few degrees
    return t_quantile(0.975, degrees)
