"""The yardsticks of a trend forecast: the base rate, momentum, and the random walk.

The random walk has no fitted parameter and no view on direction: it asks how likely the label is when daily
log returns are independent and normal with mean 0 and today's volatility, which is the exponentially weighted
one of RiskMetrics (J. P. Morgan/Reuters, RiskMetrics Technical Document, 1996: 0.94 for daily returns). Much
of a future average is known today through the distance of the close from its average, and the formula says
how much that is worth.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import CLOSE, FloatArray
from make_us_rich.features.indicators import WARM_UP
from make_us_rich.features.trend_labels import Direction, TrendLabel, moving_average

TREND_BASELINES = ("base_rate", "momentum", "random_walk")
SMALLEST_PROBABILITY = 1e-4  # nothing is served as impossible, and no log loss is infinite
EWMA_DECAY = 0.94  # of the variance, per day
MOMENTUM_AVERAGE = 10

_FEWEST_RETURNS = 20
_SMALLEST_VOLATILITY = 1e-8
_RIDGE = 0.1  # on the slope per standard deviation: nothing to hundreds of rows, an end to separable ones
_NEWTON_STEPS = 50


@dataclass(frozen=True, slots=True)
class MomentumFit:
    """A logistic regression on the close over its 10-day average, minus 1."""

    intercept: float
    slope: float

    def probability(self, ohlcv: FloatArray) -> FloatArray:
        """Return the probability of the label at each candle (n,); NaN in the first 9 rows."""
        return _bounded(_logistic(self.intercept + self.slope * momentum(ohlcv)))


def momentum(ohlcv: FloatArray) -> FloatArray:
    """Return the close over its 10-day average, minus 1 (n,); NaN in the first 9 rows."""
    close = ohlcv[:, CLOSE]
    ratio: FloatArray = close / moving_average(close, MOMENTUM_AVERAGE) - 1
    return ratio


def base_rate(labels: FloatArray, rows: NDArray[np.int64]) -> float:
    """Return the share of `rows` with the label; rows whose future has not closed do not count."""
    known = labels[rows][~np.isnan(labels[rows])]
    if not known.size:
        raise ValueError(f"none of {len(rows)} rows has a label; give rows whose future has closed")
    return float(_bounded(known.mean()))


def fit_momentum(ohlcv: FloatArray, labels: FloatArray, rows: NDArray[np.int64]) -> MomentumFit:
    """Fit momentum on `rows`; rows without a label or without history do not count.

    Where all labels are the same there is nothing to tell apart, and the fit is the base rate.
    """
    deviation = momentum(ohlcv)
    known = rows[~np.isnan(labels[rows] + deviation[rows])]
    flat = MomentumFit(_log_odds(base_rate(labels, known)), 0.0)
    target, inputs = labels[known], deviation[known]
    spread = float(inputs.std())
    if target.min() == target.max() or spread == 0:
        return flat
    centre = float(inputs.mean())
    intercept, slope = _fit_logistic((inputs - centre) / spread, target, flat.intercept)
    return MomentumFit(intercept - slope * centre / spread, slope / spread)


def random_walk_probability(ohlcv: FloatArray, label: TrendLabel, direction: Direction) -> FloatArray:
    """Return the probability of the label at each candle (n,) under a random walk; NaN in the first 20 rows.

    A change of an average of m closes over h candles asks for the mean of the closes still to come. Logs of
    means are taken as means of logs. The variance of that mean is the daily one times
    (h - m) + the sum of (i / m)^2 for i = 1..m, which is 3.85 at m = h = 10; where h < m, the m - h closes
    that remain in the average are known, and only the mean of the other h is uncertain. A touch has twice the
    probability of the close ending beyond the level (reflection principle).
    """
    close = ohlcv[:, CLOSE]
    deviation = daily_volatility(close) * math.sqrt(_variance_factor(label))
    sign = 1.0 if direction == "up" else -1.0
    probability = normal_cdf(-sign * _log_distance(close, label, direction) / deviation)
    return _bounded(2 * probability if label.kind == "touch" else probability)


def daily_volatility(close: FloatArray) -> FloatArray:
    """Return the exponentially weighted volatility of log returns at each row (n,); NaN in the first 20.

    Weights end after `WARM_UP` candles, so that it does not matter how much longer the history is.
    """
    volatility = np.full(len(close), np.nan)
    squared = np.diff(np.log(close)) ** 2
    if len(squared) < _FEWEST_RETURNS:
        return volatility
    weights = EWMA_DECAY ** np.arange(WARM_UP - 1)
    total = np.cumsum(weights)[np.minimum(np.arange(len(squared)), len(weights) - 1)]
    variance = np.convolve(squared, weights)[: len(squared)] / total
    volatility[1:] = np.maximum(np.sqrt(variance), _SMALLEST_VOLATILITY)
    volatility[:_FEWEST_RETURNS] = np.nan
    return volatility


def normal_cdf(values: FloatArray) -> FloatArray:
    """Return the standard normal distribution function, value by value.

    >>> normal_cdf(np.array([0.0, 1.6448536])).round(6).tolist()
    [0.5, 0.95]
    """
    return np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in values.tolist()])


def _variance_factor(label: TrendLabel) -> float:
    uncertain = min(label.averaged_candles, label.horizon)  # closes of the future average that are to come
    shares = np.arange(1, uncertain + 1) / uncertain
    return label.horizon - uncertain + float(shares @ shares)


def _log_distance(close: FloatArray, label: TrendLabel, direction: Direction) -> FloatArray:
    # from the close to the mean that the coming closes must have; -inf where none is low enough for a fall,
    # because the closes that stay in the average hold it up
    average, uncertain = label.averaged_candles, min(label.averaged_candles, label.horizon)
    total = average * label.factor(direction) * moving_average(close, average)
    if average > uncertain:
        total -= (average - uncertain) * moving_average(close, average - uncertain)
    distance = np.full(len(close), -np.inf)
    ratio = total / uncertain / close
    return np.log(ratio, out=distance, where=~(ratio <= 0))  # NaN stays NaN


def _fit_logistic(inputs: FloatArray, target: FloatArray, start: float) -> tuple[float, float]:
    design = np.column_stack([np.ones_like(inputs), inputs])
    penalty = np.array([0.0, _RIDGE])

    def loss(weight: FloatArray) -> float:
        score = design @ weight
        return float(np.logaddexp(0, score).sum() - target @ score + 0.5 * penalty @ weight**2)

    weight = np.array([start, 0.0])
    for _ in range(_NEWTON_STEPS):
        probability = _logistic(design @ weight)
        gradient = design.T @ (probability - target) + penalty * weight
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weight = weight - _accepted_share(loss, weight, step) * step
        if np.abs(step).max() < 1e-9:
            break
    return float(weight[0]), float(weight[1])


def _accepted_share(loss: Callable[[FloatArray], float], weight: FloatArray, step: FloatArray) -> float:
    # a full Newton step can overshoot where one row lies far from all others, as on a first trading day
    here, share = loss(weight), 1.0
    while loss(weight - share * step) > here and share > 1e-6:
        share /= 2
    return share


def _logistic(score: FloatArray) -> FloatArray:
    result: FloatArray = 1 / (1 + np.exp(-np.clip(score, -500, 500)))
    return result


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _bounded(probability: FloatArray) -> FloatArray:
    return np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
