"""The volatility regression: how far the price may move, from how far it has moved.

Ordinary least squares of half the log Garman-Klass variance of the next h candles on the same over the last
1 to 720 candles, the hour of the day and the weekend: the heterogeneous autoregression of Corsi ("A Simple
Approximate Long-Memory Model of Realized Volatility", Journal of Financial Econometrics 7, 2009) in logs.

The wide regression, on which the network stands, also reads means of log volatility, the same hours of past
days, volume, falls, the hour of the weekend, the weekday and the business hours of New York, and whatever
features an experiment names, in standard deviations.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from make_us_rich.arrays import FloatArray
from make_us_rich.models.input_scaling import InputScaling
from make_us_rich.models.price_features import PriceColumns
from make_us_rich.models.price_table import PriceTable, Rows

_SMALLEST_VARIANCE = 1e-16
_RIDGE = 1e-6  # of the mean diagonal: only settles columns that are constant or repeat each other


class VolatilityScale(nn.Module):
    """Regressors to the log scale (..., horizon) of the h-candle return; `weight` is (regressor, horizon).

    The plain regression reads `columns.regressors`, the wide one `columns.context` too, and the last of
    `columns.further` where it has a `scaling` for them.
    """

    weight: Tensor

    def __init__(
        self,
        weight: FloatArray,
        horizons: tuple[int, ...],
        *,
        wide: bool = False,
        scaling: InputScaling | None = None,
    ) -> None:
        super().__init__()
        self.wide = wide
        self.scaling = scaling
        intercept = np.array([0.5 * math.log(h) for h in horizons])
        rows = weight.copy()
        rows[0] += intercept  # the first regressor is the constant; a sum of h candles scales with sqrt(h)
        self.register_buffer("weight", torch.from_numpy(rows))

    def forward(self, columns: PriceColumns) -> Tensor:
        """Return log scales, float64."""
        return read_regressors(columns, wide=self.wide, scaling=self.scaling) @ self.weight


def read_regressors(columns: PriceColumns, *, wide: bool, scaling: InputScaling | None = None) -> Tensor:
    """Return what the plain or the wide regression reads (..., regressor)."""
    if not wide:
        return columns.regressors
    parts = [columns.regressors, columns.context]
    if scaling is not None and columns.further is not None:
        parts.append(scaling(columns.further[:, -1]))
    return torch.cat(parts, dim=-1)


def fit_volatility(table: PriceTable, rows: Rows, *, wide: bool = False) -> VolatilityScale:
    """Fit one regression per horizon on the targets of `rows`, which must all have closed."""
    further = table.columns.further
    scaling = InputScaling(further[torch.from_numpy(rows)].numpy()) if wide and further is not None else None
    regressors = read_regressors(table.windows(rows, 1), wide=wide, scaling=scaling).numpy()
    targets = np.stack([log_volatility_ahead(table.variance, rows, h) for h in table.horizons], axis=1)
    gram = regressors.T @ regressors
    gram[np.diag_indices_from(gram)] += _RIDGE * np.trace(gram) / len(gram)
    weight = np.linalg.solve(gram, regressors.T @ targets)
    return VolatilityScale(weight, table.horizons, wide=wide, scaling=scaling)


def log_volatility_ahead(variance: FloatArray, rows: Rows, horizon: int) -> FloatArray:
    """Return half the log of the mean variance of the `horizon` candles after each row.

    >>> log_volatility_ahead(np.exp(np.array([0.0, 2.0, 2.0])), np.array([0]), 2).round(6)
    array([1.])
    """
    total = np.concatenate([[0.0], np.cumsum(variance)])
    mean = (total[rows + 1 + horizon] - total[rows + 1]) / horizon
    floor = 1e-3 * variance[rows[0] : rows[-1] + 1].mean() + _SMALLEST_VARIANCE
    result: FloatArray = 0.5 * np.log(np.maximum(mean, floor))
    return result
