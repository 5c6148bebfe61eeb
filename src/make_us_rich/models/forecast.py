"""What a price forecast is: 13 quantiles of the close at each horizon, and the record that is served."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

QUANTILE_LEVELS = (0.025, 0.05, 0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.9, 0.95, 0.975)
LEVEL_KEYS = tuple(f"{level:g}" for level in QUANTILE_LEVELS)
MEDIAN = QUANTILE_LEVELS.index(0.5)
HORIZONS = (1, 2, 4, 8, 12, 24)

NAIVE_BASELINES = ("persistence", "ewma_persistence")
BASELINES = (*NAIVE_BASELINES, "volatility")


@dataclass(frozen=True, slots=True)
class ForecastStep:
    """The forecast of one close.

    `quantiles` are prices in the order of `QUANTILE_LEVELS`; `is_baseline` says that no model has
    passed the gate at this horizon, so a naive baseline, named in `served_by`, stands here.
    """

    horizon: int
    target_time: datetime
    quantiles: tuple[float, ...]
    probability_up: float
    served_by: str
    is_baseline: bool

    @property
    def median(self) -> float:
        """The quantile at level 0.5."""
        return self.quantiles[MEDIAN]


@dataclass(frozen=True, slots=True)
class PriceForecast:
    """Forecasts of the coming closes, made with the candles known at `cutoff` and nothing else."""

    name: str
    symbol: str
    timeframe: str
    market: str
    cutoff: datetime
    last_close: float
    steps: tuple[ForecastStep, ...]
    model_version: int | None


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
