"""What a forecast costs: plain functions over arrays whose last axis is the quantile level."""

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.models.quantiles import QUANTILE_LEVELS

_LEVELS = np.asarray(QUANTILE_LEVELS)


def quantile_loss(quantiles: FloatArray, actual: FloatArray) -> FloatArray:
    """Return the mean over the levels of the quantile (pinball) loss: quantiles (..., level), actual (...).

    Koenker and Bassett, "Regression Quantiles", Econometrica 46 (1978).

    >>> quantile_loss(np.full(13, 2.0), np.float64(2.0))
    np.float64(0.0)
    """
    error = np.asarray(actual)[..., None] - quantiles
    loss: FloatArray = np.maximum(_LEVELS * error, (_LEVELS - 1) * error).mean(axis=-1)
    return loss


def crps(quantiles: FloatArray, actual: FloatArray) -> FloatArray:
    """Return the continuous ranked probability score, twice the quantile loss integrated over the levels.

    The integral is taken by trapezoids over the 13 levels, with the loss falling to 0 at levels 0 and 1;
    Gneiting and Raftery, "Strictly Proper Scoring Rules", JASA 102 (2007).
    """
    error = np.asarray(actual)[..., None] - quantiles
    loss = np.maximum(_LEVELS * error, (_LEVELS - 1) * error)
    edge = np.zeros((*loss.shape[:-1], 1))
    levels = np.concatenate([[0.0], _LEVELS, [1.0]])
    score: FloatArray = 2 * np.trapezoid(np.concatenate([edge, loss, edge], axis=-1), levels, axis=-1)
    return score


def covered(quantiles: FloatArray, actual: FloatArray, share: float = 0.9) -> np.ndarray:
    """Return whether each actual lies in the central interval that should hold `share` of them."""
    low, high = interval_bounds(share)
    inside: np.ndarray = (actual >= quantiles[..., low]) & (actual <= quantiles[..., high])
    return inside


def interval_width(quantiles: FloatArray, share: float = 0.9) -> FloatArray:
    """Return the width of the central interval that should hold `share` of the actuals."""
    low, high = interval_bounds(share)
    width: FloatArray = quantiles[..., high] - quantiles[..., low]
    return width


def interval_bounds(share: float) -> tuple[int, int]:
    """Return the positions of the two levels that bound the central interval of this share.

    >>> interval_bounds(0.9)
    (1, 11)
    """
    low = int(np.argmin(np.abs(_LEVELS - (1 - share) / 2)))
    if abs(_LEVELS[low] - (1 - share) / 2) > 1e-9:
        raise ValueError(f"no central interval of share {share} among the levels {QUANTILE_LEVELS}")
    return low, len(_LEVELS) - 1 - low


def mae(forecast: FloatArray, actual: FloatArray) -> float:
    """Return the mean absolute error."""
    return float(np.mean(np.abs(actual - forecast)))


def rmse(forecast: FloatArray, actual: FloatArray) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((actual - forecast) ** 2)))


def mape(forecast: FloatArray, actual: FloatArray) -> float:
    """Return the mean absolute error as a share of the actual, which must not be 0."""
    return float(np.mean(np.abs((actual - forecast) / actual)))


def mase(forecast: FloatArray, actual: FloatArray, naive: FloatArray) -> float:
    """Return the mean absolute error over that of the naive forecast; NaN where the naive one is perfect.

    Hyndman and Koehler, "Another look at measures of forecast accuracy", IJF 22 (2006), with the naive error
    taken on the same rows.
    """
    naive_error = mae(naive, actual)
    return mae(forecast, actual) / naive_error if naive_error > 0 else float("nan")


def direction_accuracy(forecast: FloatArray, actual: FloatArray, last: FloatArray) -> float:
    """Return the share of moves whose sign was forecast.

    Rows whose forecast is the last close claim no direction and rows that did not move have none: both are
    left out, and NaN says that nothing remained.

    >>> direction_accuracy(np.array([2.0, 1.0]), np.array([3.0, 2.0]), np.array([1.0, 1.0]))
    1.0
    """
    said, was = np.sign(forecast - last), np.sign(actual - last)
    claimed = (said != 0) & (was != 0)
    return float(np.mean(said[claimed] == was[claimed])) if claimed.any() else float("nan")
