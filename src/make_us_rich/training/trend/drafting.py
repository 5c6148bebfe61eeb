"""From a judged result to an artifact: what a trend model says about itself, its graph and its report."""

import io
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version as library_version

import numpy as np
from pydantic import JsonValue

from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.features.indicators import INDICATOR_NAMES, WARM_UP
from make_us_rich.forecasting.trend.manifest import TrendBaselineRecord, TrendManifest
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.registry.manifest import TensorSpec
from make_us_rich.training.fits import Judged
from make_us_rich.training.trend.experiment import TrendExperiment
from make_us_rich.training.trend.finals import FinalModels
from make_us_rich.training.trend.reporting import report_trend
from make_us_rich.training.trend.result import TrendResult
from make_us_rich.version import __version__

JudgedTrend = Judged[TrendExperiment, TrendResult]
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


def draft_trend(judged: JudgedTrend) -> ArtifactDraft:
    """Return the artifact of a judged result; the report says why it was promoted or kept back."""
    result = judged.fitted.fit.content
    report = report_trend(result, judged.verdict, judged.pooled[result.direction])
    return ArtifactDraft(_manifest(judged), _payloads(result.models, result.winner, report))


def library_versions() -> dict[str, str]:
    """Return the versions of what trend models are made with."""
    return {name: library_version(name) for name in _LIBRARIES} | {"python": platform.python_version()}


def original_tags(result: TrendResult) -> dict[str, JsonValue]:
    """Return the tags the second published system put on its models."""
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


def _manifest(judged: JudgedTrend) -> TrendManifest:
    result = judged.fitted.fit.content
    experiment, models = result.experiment, result.models
    return TrendManifest.model_validate(
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
            "label": experiment.label,
            "baselines": TrendBaselineRecord(
                base_rate=models.base_rate,
                momentum_intercept=models.momentum.intercept,
                momentum_slope=models.momentum.slope,
            ),
            "served_by": judged.verdict.served_by,
            "evidence": result.evidence,
            "published": result.published,
            "folds_end": datetime.fromtimestamp(result.folds_end_ms / 1000, UTC),
            "chosen": {str(fold): name for fold, name in result.chosen.items()},
            "dropped": result.dropped,
            "tags": original_tags(result),
            "experiment": experiment.model_dump(mode="json"),
            "snapshot": result.span.reference,
            "trained_at": judged.fitted.now,
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
