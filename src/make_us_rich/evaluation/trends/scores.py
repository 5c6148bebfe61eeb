"""What a probability is worth: plain functions over outcomes (n,) of 0 or 1 and probabilities (n,)."""

from dataclasses import dataclass

import numpy as np

from make_us_rich.arrays import FloatArray

PUBLISHED_THRESHOLDS = {"positive_accuracy": 0.5, "negative_accuracy": 0.5, "overall_score": 0.6}
"""What the second published system asks of a model before it serves it; shown here, and decides nothing."""

_CERTAIN = 1e-12


def brier_losses(outcome: FloatArray, probability: FloatArray) -> FloatArray:
    """Return the squared error (n,) of each probability.

    Brier, "Verification of Forecasts Expressed in Terms of Probability", Monthly Weather Review 78 (1950).
    """
    losses: FloatArray = (probability - outcome) ** 2
    return losses


def log_loss(outcome: FloatArray, probability: FloatArray) -> float:
    """Return the mean negative log-likelihood, in nats."""
    p = np.clip(probability, _CERTAIN, 1 - _CERTAIN)
    return float(-np.mean(outcome * np.log(p) + (1 - outcome) * np.log1p(-p)))


def roc_auc(outcome: FloatArray, score: FloatArray) -> float:
    """Return the chance that an event scored higher than a non-event, ties counting half; NaN for one class.

    >>> roc_auc(np.array([0.0, 1.0]), np.array([0.2, 0.7]))
    1.0
    """
    n_positive = int(outcome.sum())
    n_negative = len(outcome) - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    _, position, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(counts) - (counts - 1) / 2  # the mean rank of each distinct value
    total = float(rank[position][outcome == 1].sum())
    return (total - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def pr_auc(outcome: FloatArray, score: FloatArray) -> float:
    """Return the average precision, tied scores entering together; NaN where no event came."""
    n_positive = outcome.sum()
    if n_positive == 0:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.diff(score[order]) != 0, True)
    found = np.cumsum(outcome[order])[last_of_tie]
    taken = np.flatnonzero(last_of_tie) + 1
    gained = np.diff(found, prepend=0.0)
    return float((gained / n_positive) @ (found / taken))


@dataclass(frozen=True, slots=True)
class PublishedScores:
    """The scores of the second published system, at one cut of the probability.

    `positive_accuracy` is the share of events that were announced, `negative_accuracy` of non-events that
    were not, `overall_score` = 0.1 accuracy + 0.4 precision + 0.2 positive + 0.3 negative accuracy.
    """

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def accuracy(self) -> float:
        """Share of right calls."""
        right = self.true_positives + self.true_negatives
        return _share(right, right + self.false_positives + self.false_negatives)

    @property
    def precision(self) -> float:
        """Share of announced events that came; 0 where none was announced."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def positive_accuracy(self) -> float:
        """Share of events that were announced; 0 where none came."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def negative_accuracy(self) -> float:
        """Share of non-events that were not announced; 0 where there were none."""
        return _share(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def overall_score(self) -> float:
        """The published weighting of the four."""
        return (
            0.1 * self.accuracy
            + 0.4 * self.precision
            + 0.2 * self.positive_accuracy
            + 0.3 * self.negative_accuracy
        )

    def to_dict(self) -> dict[str, float]:
        """Return the five scores and the four counts."""
        names = ("accuracy", "precision", "positive_accuracy", "negative_accuracy", "overall_score")
        counts = ("true_positives", "false_positives", "true_negatives", "false_negatives")
        return {name: float(getattr(self, name)) for name in names} | {
            name: int(getattr(self, name)) for name in counts
        }


def published_scores(outcome: FloatArray, announced: np.ndarray) -> PublishedScores:
    """Count the calls: `announced` (n,) says whether the event was foretold."""
    came = outcome == 1
    return PublishedScores(
        true_positives=int((came & announced).sum()),
        false_positives=int((~came & announced).sum()),
        true_negatives=int((~came & ~announced).sum()),
        false_negatives=int((came & ~announced).sum()),
    )


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Forecasts of nearly the same probability: how many, their mean, and how often the event came."""

    n: int
    forecast: float
    observed: float


def calibration_curve(outcome: FloatArray, probability: FloatArray, n_bins: int = 10) -> list[CalibrationBin]:
    """Return bins of equal count in rising order of probability; fewer where there are fewer forecasts."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, n_bins) if len(part)]
    return [CalibrationBin(len(p), float(probability[p].mean()), float(outcome[p].mean())) for p in parts]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
