"""From judged results to artifacts on the shelf, each with its decision."""

import io
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from typing import Any

import numpy as np
from pydantic import JsonValue

from make_us_rich import __version__
from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.features.indicators import INDICATOR_NAMES, WARM_UP
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.registry.manifest import TensorSpec
from make_us_rich.registry.shelf import Decision, Shelf
from make_us_rich.registry.trend_manifest import TrendBaselineRecord, TrendManifestDraft
from make_us_rich.registry.trend_promotion import PooledTest
from make_us_rich.training.trends.finals import FinalModels
from make_us_rich.training.trends.judgement import JudgedTrend
from make_us_rich.training.trends.reporting import report_trend
from make_us_rich.training.trends.succession import against_champion

_LIBRARIES = (
    "lightgbm",
    "numpy",
    "onnx",
    "onnxruntime",
    "polars",
    "scikit-learn",
    "TA-Lib",
    "torch",
    "xgboost-cpu",
)


@dataclass(frozen=True, slots=True)
class TrendTrainingResult:
    """What one coin and direction came to; `evidence` is one record per forecaster."""

    name: str
    version: int
    promoted: bool
    reasons: tuple[str, ...]
    winner: str
    served_by: str
    seconds: float
    evidence: tuple[dict[str, Any], ...]
    dropped: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return one entry of the answer of `mur train --json`."""
        return asdict(self)


def shelve_trend(
    judged: JudgedTrend, pooled: Mapping[str, PooledTest], shelf: Shelf, now: datetime
) -> TrendTrainingResult:
    """Shelve a result either way, and serve it from now on if its verdict and the champion allow."""
    result, verdict = judged.result, judged.verdict
    kind, accepted, reason = against_champion(result, shelf, now)
    if not verdict.passed:
        accepted, reason = False, f"kept back: {verdict.served_by} serves, nothing is proven better"
    reasons = (reason, *verdict.reasons)
    report = report_trend(replace(judged, verdict=replace(verdict, reasons=reasons)), pooled)
    version = shelf.shelve(
        ArtifactDraft(_manifest(judged, now), _payloads(result.models, result.winner, report))
    )
    if accepted:
        shelf.promote(result.name, version, reason, now)
    decision = Decision(at=now, version=version, kind=kind, promoted=accepted, reasons=reasons)
    shelf.record_decision(result.name, decision)
    return TrendTrainingResult(
        name=result.name,
        version=version,
        promoted=accepted,
        reasons=reasons,
        winner=result.winner,
        served_by=verdict.served_by,
        seconds=result.seconds,
        evidence=tuple(
            one.to_dict() | {"published": dict(result.published.get(name, {}))}
            for name, one in result.evidence.items()
        ),
        dropped=dict(result.dropped),
    )


def library_versions() -> dict[str, str]:
    """Return the versions of what trend models are made with."""
    return {name: library_version(name) for name in _LIBRARIES} | {"python": platform.python_version()}


def original_tags(judged: JudgedTrend) -> dict[str, JsonValue]:
    """Return the tags the second published system put on its models."""
    result = judged.result
    scores = result.published[POOL]
    names = ("positive_accuracy", "negative_accuracy", "overall_score", "accuracy", "precision")
    tags: dict[str, JsonValue] = {name: scores[name] for name in names}
    return tags | {
        "symbol": result.experiment.symbol.split("/")[0],
        "classifier": result.winner,
        "classified_trend": f"{result.direction}trend",
        "target_pct": result.experiment.label.threshold * 100,
        "prediction_window_days": result.experiment.label.horizon,
        "feature_names": list(INDICATOR_NAMES),
        "feature_importance": dict(result.models.explanation.mean_absolute),
    }


def _manifest(judged: JudgedTrend, now: datetime) -> TrendManifestDraft:
    result, experiment, models = judged.result, judged.result.experiment, judged.result.models
    return TrendManifestDraft.model_validate(
        {
            "name": result.name,
            "kind": f"trend-{result.direction}",
            "model": result.winner,
            "symbol": experiment.symbol,
            "timeframe": experiment.timeframe,
            "market": result.span.market,
            "source": result.span.source,
            "inputs": (TensorSpec(name="features", dtype="float32", shape=("batch", len(INDICATOR_NAMES))),),
            "outputs": (TensorSpec(name="probability", dtype="float64", shape=("batch",)),),
            "features": INDICATOR_NAMES,
            "lookback": WARM_UP,
            "label": experiment.label.model_dump(),
            "baselines": TrendBaselineRecord(
                base_rate=models.base_rate,
                momentum_intercept=models.momentum.intercept,
                momentum_slope=models.momentum.slope,
            ),
            "served_by": judged.verdict.served_by,
            "evidence": {name: one.to_dict() for name, one in result.evidence.items()},
            "published": result.published,
            "folds_end": datetime.fromtimestamp(result.folds_end_ms / 1000, UTC),
            "chosen": {str(fold): name for fold, name in result.chosen.items()},
            "dropped": result.dropped,
            "tags": original_tags(judged),
            "experiment": experiment.model_dump(mode="json"),
            "snapshot": result.span.reference,
            "trained_at": now,
            "data_end": result.span.data_end,
            "code_version": __version__,
            "library_versions": library_versions(),
            "seed": experiment.seed,
        }
    )


def _payloads(models: FinalModels, winner: str, report: bytes) -> Mapping[str, bytes]:
    features, probability = models.golden
    golden = io.BytesIO()
    np.savez_compressed(golden, features=features, probability=probability)
    return {
        "model.onnx": models.onnx[winner],
        "golden.npz": golden.getvalue(),
        "explain.json": json.dumps(models.explanation.to_json(), indent=1).encode(),
        "report.html": report,
    }
