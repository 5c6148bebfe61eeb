"""Make the stated quantiles true, with residuals of forecasts the model had not seen.

A price forecast is scale(t, h) × shape(h). The monotone map of held-out PIT values (Kuleshov, Fenner and
Ermon, "Accurate Uncertainties for Deep Learning Using Calibrated Regression", ICML 2018) replaces level p of
the shape by level g(p), where g(p) is the p-quantile of the PIT values. As the shape does not depend on t,
the shape at level g(p) is just the p-quantile of the held-out residuals return / scale, and that is what is
computed here: the same map, with no extrapolation beyond the outermost level.
"""

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import MEDIAN, QUANTILE_LEVELS

_SHORT_WINDOW_DAYS = 90
_LONG_WINDOW_DAYS = 365
_LONGEST_SHORT_HORIZON = 2


def calibration_rows(horizon: int, timeframe: Timeframe) -> int:
    """Return how many of the newest held-out residuals count: 90 days for horizons up to 2, 365 beyond."""
    days = _SHORT_WINDOW_DAYS if horizon <= _LONGEST_SHORT_HORIZON else _LONG_WINDOW_DAYS
    return days * timeframe.candles_per_day


def empirical_shape(residuals: FloatArray) -> FloatArray:
    """Return the shape (horizon, level) of residuals (row, horizon): their quantiles, the median held at 0.

    >>> empirical_shape(np.array([[-1.0], [1.0], [3.0]]))[0, [0, 6, 12]].round(2)
    array([-0.9,  0. ,  2.9])
    """
    shape = np.quantile(residuals, QUANTILE_LEVELS, axis=0).T
    shape[:, MEDIAN] = 0.0
    shape[:, :MEDIAN] = np.minimum(shape[:, :MEDIAN], 0.0)
    shape[:, MEDIAN + 1 :] = np.maximum(shape[:, MEDIAN + 1 :], 0.0)
    return np.ascontiguousarray(shape)


def calibrated_shape(residuals: FloatArray, horizons: tuple[int, ...], timeframe: Timeframe) -> FloatArray:
    """Return the shape (horizon, level) of held-out residuals (row, horizon), oldest first, NaN = none."""
    rows = []
    for j, horizon in enumerate(horizons):
        closed = residuals[~np.isnan(residuals[:, j]), j]
        rows.append(empirical_shape(closed[-calibration_rows(horizon, timeframe) :, None])[0])
    return np.stack(rows)
