"""Calendar blocks: forecasts near each other err together, so whole weeks are what is counted.

A loss difference is averaged per block, and the block means, nearly independent, meet a one-sided t test
with k - 1 degrees of freedom. (Diebold and Mariano, "Comparing Predictive Accuracy", JBES 13 (1995), with
the usual lag of h - 1 is reported beside it; at one hour its true size is 15-22 %, as scale errors drift.)
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.student_t import t_quantile, t_survival
from make_us_rich.market.timeframe import Timeframe

_WEEK_MS = 7 * 86_400_000
_HORIZONS_PER_BLOCK = 5


@dataclass(frozen=True, slots=True)
class BlockMeans:
    """The mean of some quantity in each whole block, in time order."""

    values: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        """Mean of the block means."""
        return float(np.mean(self.values)) if len(self) else math.nan

    @property
    def standard_error(self) -> float:
        """Standard error of that mean; infinite below two blocks."""
        return float(np.std(self.values, ddof=1) / math.sqrt(len(self))) if len(self) > 1 else math.inf

    def p_value_above_zero(self) -> float:
        """Return the p-value of the one-sided t test that the mean is above 0; 1 for no evidence."""
        if len(self) < 2:
            return 1.0
        error = self.standard_error
        if error == 0.0:
            return 0.0 if self.mean > 0 else 1.0
        return t_survival(self.mean / error, len(self) - 1)

    def half_width(self, level: float = 0.975) -> float:
        """Return t at `level` times the standard error; infinite below two blocks."""
        return t_quantile(level, len(self) - 1) * self.standard_error if len(self) > 1 else math.inf


def block_milliseconds(horizon: int, timeframe: Timeframe) -> int:
    """Return the length of a block: one week or five horizons, whichever is longer."""
    return max(_WEEK_MS, _HORIZONS_PER_BLOCK * horizon * timeframe.milliseconds)


def whole_blocks(
    values: FloatArray, cutoff_ms: NDArray[np.int64], block_ms: int, timeframe: Timeframe
) -> BlockMeans:
    """Average `values` (n,) over whole blocks from the first cutoff on; a part block is dropped."""
    if len(values) == 0:
        return BlockMeans(np.empty(0))
    covered_ms = int(cutoff_ms[-1] - cutoff_ms[0]) + timeframe.milliseconds
    n_blocks = covered_ms // block_ms
    index = (cutoff_ms - cutoff_ms[0]) // block_ms
    inside = index < n_blocks
    counts = np.bincount(index[inside], minlength=n_blocks)
    sums = np.bincount(index[inside], weights=values[inside], minlength=n_blocks)
    filled = counts > 0
    return BlockMeans(sums[filled] / counts[filled])


def diebold_mariano_p_value(difference: FloatArray, horizon: int) -> float:
    """Return the one-sided p-value that the mean loss difference is above 0, with lag horizon - 1.

    Reported, not used to decide. The long-run variance uses Bartlett weights; a constant difference has none.
    """
    n = len(difference)
    if n < 2:
        return 1.0
    centred = difference - difference.mean()
    variance = float(centred @ centred) / n
    for k in range(1, min(horizon, n)):
        variance += 2 * (1 - k / horizon) * float(centred[k:] @ centred[:-k]) / n
    if variance <= 0:
        return 0.0 if difference.mean() > 0 else 1.0
    return t_survival(float(difference.mean()) / math.sqrt(variance / n), n - 1)
