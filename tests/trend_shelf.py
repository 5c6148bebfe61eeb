"""Trend versions for the shelf that need no training: the evidence is made up, the models are real ONNX."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.models.trend_onnx import TrendClassifier
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.registry.manifest import SnapshotReference, TensorSpec
from make_us_rich.registry.trend_manifest import (
    PublishedRecord,
    TrendBaselineRecord,
    TrendEvidenceRecord,
    TrendLabelRecord,
    TrendManifestDraft,
)

CANDIDATES = ("Ridge", "MLP")


@dataclass(frozen=True, slots=True)
class Exported:
    """What a training exported."""

    onnx: dict[str, bytes]
    parameters: dict[str, dict[str, str | int | float | bool]]
    parity: dict[str, float]


def exported(*candidates):
    names = candidates or CANDIDATES
    return Exported(
        onnx={name: mean_model() for name in names},
        parameters={name: {"alpha": 100.0, "class_weight": "balanced"} for name in names},
        parity=dict.fromkeys(names, 3e-7),
    )


def mean_model():
    """Return an ONNX file that answers the logistic of the mean of its features."""
    nodes = [
        helper.make_node("Cast", ["features"], ["exact"], to=TensorProto.DOUBLE),
        helper.make_node("ReduceMean", ["exact", "axes"], ["mean"], keepdims=0),
        helper.make_node("Sigmoid", ["mean"], ["probability"]),
    ]
    taken = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", len(INDICATOR_NAMES)])
    given = helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["batch"])
    axes = numpy_helper.from_array(np.array([1]), "axes")
    graph = helper.make_graph(nodes, "mean", [taken], [given], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def trend_draft(symbol="SOL/USDT", direction="up", candidates=CANDIDATES):
    model = mean_model()
    features = np.random.default_rng(0).normal(size=(4, len(INDICATOR_NAMES))).astype(np.float32)
    golden = io.BytesIO()
    np.savez_compressed(golden, features=features, probability=TrendClassifier(model).probability(features))
    payloads = {"model.onnx": model, "golden.npz": golden.getvalue(), "report.html": b"<!DOCTYPE html>"}
    return ArtifactDraft(trend_manifest(symbol, direction, candidates), payloads)


def trend_manifest(symbol, direction, candidates):
    base = symbol.split("/", maxsplit=1)[0]
    outer = TensorSpec(name="probability", dtype="float64", shape=("batch",))
    return TrendManifestDraft(
        name=f"trend-{direction}.{base}-USDT.1d",
        kind=f"trend-{direction}",
        model=candidates[0],
        symbol=symbol,
        timeframe="1d",
        market="replay",
        source="recorded",
        inputs=(TensorSpec(name="features", dtype="float32", shape=("batch", len(INDICATOR_NAMES))),),
        outputs=(outer,),
        features=INDICATOR_NAMES,
        lookback=250,
        label=TrendLabelRecord(kind="sma-change", average=10, horizon=10, threshold=0.05),
        baselines=TrendBaselineRecord(base_rate=0.3, momentum_intercept=-1.0, momentum_slope=20.0),
        served_by="random_walk",
        evidence={name: evidence(name) for name in (*TREND_BASELINES, *candidates, "pool")},
        published={name: published() for name in (*candidates, "pool")},
        folds_end=datetime(2024, 3, 1, tzinfo=UTC),
        chosen={"160": candidates[0]},
        dropped={},
        tags={"symbol": base, "target_pct": 5.0, "feature_names": list(INDICATOR_NAMES)},
        experiment={"kind": "trend", "symbol": symbol, "label": {"kind": "sma-change"}, "seed": 7},
        snapshot=SnapshotReference(
            hash="0" * 64,
            first=datetime(2020, 1, 1, tzinfo=UTC),
            last=datetime(2024, 3, 1, tzinfo=UTC),
            rows=1521,
        ),
        trained_at=datetime(2024, 3, 2, tzinfo=UTC),
        data_end=datetime(2024, 3, 2, tzinfo=UTC),
        code_version="0.1.0",
        library_versions={"onnx": onnx.__version__},
        seed=7,
    )


def evidence(forecaster, brier=0.14):
    against = dict.fromkeys(TREND_BASELINES, -0.02)
    return TrendEvidenceRecord(
        forecaster=forecaster,
        folds=6,
        blocks=17,
        n=720,
        base_rate=0.3,
        roc_auc=0.81,
        pr_auc=0.6,
        brier=brier,
        log_loss=0.45,
        skill=against,
        skill_low=dict.fromkeys(TREND_BASELINES, -0.06),
        skill_high=dict.fromkeys(TREND_BASELINES, None),
        p_value=dict.fromkeys(TREND_BASELINES, 0.7),
        calibration=(),
    )


def published():
    return PublishedRecord(
        accuracy=0.7,
        precision=0.5,
        positive_accuracy=0.8,
        negative_accuracy=0.6,
        overall_score=0.6,
        true_positives=100,
        false_positives=100,
        true_negatives=400,
        false_negatives=120,
    )
