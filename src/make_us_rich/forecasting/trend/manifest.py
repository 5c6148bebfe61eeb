"""What a trend artifact says about itself: the manifest of `trend-up.SOL-USDT.1d` and its like."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Literal

from pydantic import JsonValue

from make_us_rich.evaluation.trends.evidence import POOL, TrendEvidence
from make_us_rich.features.trend_labels import Direction, TrendLabel, label_words
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.manifest import Manifest, StoredRecord, UtcDatetime


class TrendBaselineRecord(StoredRecord):
    """What the fitted baselines came to on all candles: a share, and a logistic line on momentum."""

    base_rate: float
    momentum_intercept: float
    momentum_slope: float


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


class TrendManifest(Manifest):
    """The manifest of a trend model.

    `model` is the candidate in `model.onnx`; `served_by` is that candidate, or the baseline that answers
    because the candidate is not proven better. `evidence` is by forecaster: `pool` is the recipe that is
    judged, in every fold the candidate the folds before spoke for. `published` is by candidate. Folds are
    counted back from `folds_end`, the same for all coins that were trained together.
    """

    kind: Literal["trend-up", "trend-down"]
    features: tuple[str, ...]
    label: TrendLabel
    baselines: TrendBaselineRecord
    served_by: str
    evidence: dict[str, TrendEvidence]
    published: dict[str, PublishedRecord]
    folds_end: UtcDatetime
    chosen: dict[str, str]
    dropped: dict[str, str]
    tags: dict[str, JsonValue]

    @property
    def direction(self) -> Direction:
        """Which way the event goes."""
        return "up" if self.kind == "trend-up" else "down"

    def served_evidence(self) -> Sequence[TrendEvidence]:
        """Return the evidence of every forecaster."""
        return list(self.evidence.values())

    def event_words(self) -> str:
        """Return the trend in words."""
        return label_words(self.label, self.direction)

    def who_serves(self) -> str:
        """Return the candidate, or the baseline that answers instead."""
        return self.served_by

    def who_answers(self) -> str | None:
        """Return one sentence where the model is promoted and a baseline goes on answering."""
        if self.served_by not in TREND_BASELINES:
            return None
        return (
            f"{self.name}: {self.model} is not proven better than the baselines, so "
            f"{self.served_by} goes on answering, with the model shown beside it."
        )

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield what a tracker shows as parameters, who serves included."""
        yield from super().parameters()
        yield "served_by", self.served_by

    def kind_tags(self) -> Iterator[tuple[str, Any]]:
        """Yield the tags of the second published system."""
        yield from self.tags.items()

    def metrics(self, forecaster: str | None = None) -> Iterator[tuple[str, float]]:
        """Yield `brier`, `skill_random_walk`, `accuracy` and the like of a forecaster, else of the recipe."""
        chosen = forecaster or POOL
        record = self.evidence[chosen]
        measured = {
            key: value for key, value in asdict(record).items() if key not in {"forecaster", "calibration"}
        }
        for key in ("skill", "skill_low", "skill_high", "p_value"):
            measured |= {f"{key}_{baseline}": value for baseline, value in measured.pop(key).items()}
        if chosen in self.published:
            measured |= self.published[chosen].model_dump()
        for key, value in measured.items():
            if math.isfinite(value):
                yield key, float(value)
