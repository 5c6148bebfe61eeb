"""Turn the score of a classifier into a probability that is true, with rows the classifier never saw.

Platt's scaling (J. Platt, "Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized
Likelihood Methods", 1999): a logistic regression of the label on the score, with his smoothed targets.
Three things are added, since the labels of neighbouring days share most of their future and a stretch of a
year holds some forty independent ones. `overlap` rows count as one. The slope is drawn to 0 by a normal prior
(standard deviation 1 per standard deviation of the scores), and never below: a score that points the wrong
way says nothing. The intercept is drawn to the base rate of the whole history (standard deviation 1/2 at the
mean score), as the share of trends swings from year to year; the 1/2 was chosen on folds that end before
2023, fifteen coins, two labels, among 2, 1, 1/2 and 1/4.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray

INTERCEPT_RIDGE = 4.0  # the inverse of the variance of each prior
SLOPE_RIDGE = 1.0
_STEPS = 50
_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class PlattScaling:
    """The log-odds of the label are `intercept` + `slope` × score."""

    intercept: float
    slope: float

    def probability(self, scores: FloatArray) -> FloatArray:
        """Return the probability of each score."""
        return logistic(self.intercept + self.slope * scores)


def logistic(log_odds: FloatArray) -> FloatArray:
    """Return the probability that has these log-odds.

    >>> logistic(np.array([0.0, 1000.0]))
    array([0.5, 1. ])
    """
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -700.0, 700.0))))


def fit_platt(
    scores: FloatArray, labels: NDArray[np.floating], base_rate: float, overlap: int = 1
) -> PlattScaling:
    """Fit the scaling on scores (n,) and labels (n,) of 0 and 1 that follow what the classifier has seen.

    `base_rate` is the share of positive labels in the whole history. Where only one class occurs, a quiet
    season say, nothing tells the slope: it is 0, and the probability lies between base rate and class.
    """
    targets, prior = _smoothed_targets(labels), _log_odds(base_rate)
    centre, spread = float(scores.mean()), float(scores.std())
    if spread > _TOLERANCE and labels.min() != labels.max():
        columns = np.stack([np.ones_like(scores), (scores - centre) / spread], axis=1)
        intercept, slope = _newton(columns, targets, prior, overlap)
        if slope > 0.0:
            return PlattScaling(float(intercept - slope * centre / spread), float(slope / spread))
    (intercept,) = _newton(np.ones((len(scores), 1)), targets, prior, overlap)
    return PlattScaling(float(intercept), 0.0)


def _smoothed_targets(labels: NDArray[np.floating]) -> FloatArray:
    positive = int((labels > 0.5).sum())
    negative = len(labels) - positive
    return np.where(labels > 0.5, (positive + 1) / (positive + 2), 1 / (negative + 2))


def _newton(columns: FloatArray, targets: FloatArray, prior: float, overlap: int) -> FloatArray:
    ridge = np.array([INTERCEPT_RIDGE, SLOPE_RIDGE])[: columns.shape[1]]
    expected = np.array([prior, 0.0])[: columns.shape[1]]
    found = expected
    for _ in range(_STEPS):
        fitted = logistic(columns @ found)
        slope = columns.T @ (fitted - targets) / overlap + ridge * (found - expected)
        curvature = columns.T @ (columns * (fitted * (1 - fitted))[:, None]) / overlap + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        largest = float(np.abs(step).max())
        found = found - step * min(1.0, 2.0 / (largest + _TOLERANCE))  # no leap past the top
        if largest < _TOLERANCE:
            break
    return found


def _log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))
