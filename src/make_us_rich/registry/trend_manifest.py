"""What a trend artifact says about itself: the manifest of `trend-up.SOL-USDT.1d` and its like."""

from typing import Literal

from pydantic import JsonValue

from make_us_rich.registry.manifest import (
    MANIFEST_FORMAT,
    SharedManifest,
    Statistic,
    StoredRecord,
    UtcDatetime,
)

TrendKind = Literal["trend-up", "trend-down"]


class TrendLabelRecord(StoredRecord):
    """The event the probability is of; see `features.trend_labels.TrendLabel`."""

    kind: Literal["sma-change", "close-change", "touch"]
    average: int
    horizon: int
    threshold: float


class TrendBaselineRecord(StoredRecord):
    """What the fitted baselines came to on all candles: a share, and a logistic line on momentum."""

    base_rate: float
    momentum_intercept: float
    momentum_slope: float


class CalibrationRecord(StoredRecord):
    """Forecasts of nearly the same probability: how many, their mean, and how often the event came."""

    n: int
    forecast: float
    observed: float


class TrendEvidenceRecord(StoredRecord):
    """How a forecaster did on folds nobody chose on; skill, its 95 % interval and p-value by baseline."""

    forecaster: str
    folds: int
    blocks: int
    n: int
    base_rate: Statistic
    roc_auc: Statistic
    pr_auc: Statistic
    brier: Statistic
    log_loss: Statistic
    skill: dict[str, Statistic]
    skill_low: dict[str, Statistic]
    skill_high: dict[str, Statistic]
    p_value: dict[str, Statistic]
    calibration: tuple[CalibrationRecord, ...]


class PublishedRecord(StoredRecord):
    """The scores and counts of the second published system, at the cut of the training base rate."""

    accuracy: float
    precision: float
    positive_accuracy: float
    negative_accuracy: float
    overall_score: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int


class TrendManifestDraft(SharedManifest):
    """A trend manifest before its artifact has a version.

    `model` is the candidate in `model.onnx`; `served_by` is that candidate, or the baseline that answers
    because the candidate is not proven better. `evidence` is by forecaster: `pool` is the recipe that is
    judged, in every fold the candidate the folds before spoke for. `published` is by candidate. Folds are
    counted back from `folds_end`, the same for all coins that were trained together.
    """

    kind: TrendKind
    features: tuple[str, ...]
    label: TrendLabelRecord
    baselines: TrendBaselineRecord
    served_by: str
    evidence: dict[str, TrendEvidenceRecord]
    published: dict[str, PublishedRecord]
    folds_end: UtcDatetime
    chosen: dict[str, str]
    dropped: dict[str, str]
    tags: dict[str, JsonValue]

    @property
    def direction(self) -> Literal["up", "down"]:
        """Which way the event goes."""
        return "up" if self.kind == "trend-up" else "down"


class TrendManifest(TrendManifestDraft):
    """The manifest of a shelved trend artifact, with the SHA-256 of every other file beside it."""

    format: Literal[1] = MANIFEST_FORMAT
    version: int
    files: dict[str, str]
