"""What several holdings are worth together: intervals are combined by how the prices moved together.

Half-widths add up like standard deviations, u² = Σᵢⱼ ρᵢⱼ uᵢ uⱼ, the upper and the lower ones apart, with ρ
the correlation of the returns. That is exact where prices are jointly elliptical, and an approximation else.
With ρ = 1 the half-widths simply add up: the widest interval that any correlation gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray

MIN_COMMON_RETURNS = 24 * 30
"""With fewer returns in common a correlation says little, and prices are taken to move as one."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The lower end, middle and upper end of a value."""

    low: float
    median: float
    high: float


def combine(intervals: Sequence[Interval], correlation: FloatArray) -> Interval:
    """Return the interval of a sum, given the correlation of its parts (n, n).

    >>> parts = [Interval(97, 100, 103), Interval(96, 100, 104)]
    >>> combine(parts, np.eye(2))
    Interval(low=195.0, median=200.0, high=205.0)
    >>> combine(parts, np.ones((2, 2)))
    Interval(low=193.0, median=200.0, high=207.0)
    """
    low, median, high = (np.array([getattr(one, part) for one in intervals]) for part in _PARTS)
    below, above = median - low, high - median
    middle = float(median.sum())
    return Interval(
        middle - float(np.sqrt(max(0.0, below @ correlation @ below))),
        middle,
        middle + float(np.sqrt(max(0.0, above @ correlation @ above))),
    )


def return_correlation(log_closes: FloatArray) -> NDArray[np.float64] | None:
    """Return the correlation of the returns of log closes at common times (n_times, n_pairs).

    None where there are too few of them, or a price that never moved.
    """
    returns = np.diff(log_closes, axis=0)
    if len(returns) < MIN_COMMON_RETURNS or not returns.std(axis=0).all():
        return None
    return np.atleast_2d(np.corrcoef(returns, rowvar=False))


_PARTS = ("low", "median", "high")
