"""The levels at which a price forecast gives quantiles, its horizons, and the names of its yardsticks."""

import numpy as np

from make_us_rich.arrays import FloatArray

QUANTILE_LEVELS = (0.025, 0.05, 0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.9, 0.95, 0.975)
LEVEL_KEYS = tuple(f"{level:g}" for level in QUANTILE_LEVELS)
MEDIAN = QUANTILE_LEVELS.index(0.5)
HORIZONS = (1, 2, 4, 8, 12, 24)

NAIVE_BASELINES = ("persistence", "ewma_persistence")
BASELINES = (*NAIVE_BASELINES, "volatility")


def probability_above(quantiles: FloatArray, price: float) -> float:
    """Return the probability that the close lies above `price`, read off 13 rising quantiles.

    Between two quantiles the distribution is taken as linear; outside them it is held at the last level.
    Where quantiles coincide at the price, the middle of their levels counts.

    >>> probability_above(np.arange(13.0), 6.0)
    0.5
    """
    levels = np.asarray(QUANTILE_LEVELS)
    below = float(np.interp(price, quantiles, levels))
    ties = levels[np.abs(quantiles - price) <= 1e-12 * price]  # np.isclose costs ten times as much
    if ties.size:
        below = float((ties[0] + ties[-1]) / 2)
    return 1.0 - below
