"""A small trend model that needs no training, to try the shelf and the service with (extra: `train`)."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.trends.evidence import TrendEvidence
from make_us_rich.features.indicators import INDICATOR_NAMES, WARM_UP
from make_us_rich.features.trend_labels import Direction, TrendLabel
from make_us_rich.forecasting.trend.manifest import (
    PublishedRecord,
    TrendBaselineRecord,
    TrendManifest,
)
from make_us_rich.market.symbol import Symbol
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.models.trend_onnx import TrendClassifier
from make_us_rich.registry.artifact import GOLDEN_FILE, MODEL_FILE, ArtifactDraft
from make_us_rich.registry.manifest import SnapshotReference, TensorSpec
from make_us_rich.settings import Market

_OPSET = 17
_IR_VERSION = 8
_SCORES = ("positive_accuracy", "negative_accuracy", "overall_score", "accuracy", "precision")


@dataclass(frozen=True, slots=True)
class ToyTrendModel:
    """A logistic line on one indicator: the probability is 1 / (1 + exp(-intercept - slope x indicator))."""

    intercept: float = -1.0
    slope: float = 0.02
    indicator: str = "7_day_RSI"

    def probability(self, features: FloatArray) -> FloatArray:
        """Return the probability (n,) for features (n, 19), as the exported model must."""
        column = features[:, INDICATOR_NAMES.index(self.indicator)]
        score: FloatArray = 1 / (1 + np.exp(-self.intercept - self.slope * column))
        return score

    def to_onnx(self) -> bytes:
        """Return the model as an ONNX file."""
        nodes = [
            helper.make_node("Cast", ["features"], ["exact"], to=TensorProto.DOUBLE),
            helper.make_node("Gather", ["exact", "column"], ["indicator"], axis=1),
            helper.make_node("Mul", ["indicator", "slope"], ["risen"]),
            helper.make_node("Add", ["risen", "intercept"], ["score"]),
            helper.make_node("Sigmoid", ["score"], ["probability"]),
        ]
        numbers = {
            "column": np.int64(INDICATOR_NAMES.index(self.indicator)),
            "slope": np.float64(self.slope),
            "intercept": np.float64(self.intercept),
        }
        shape = ["batch", len(INDICATOR_NAMES)]
        graph = helper.make_graph(
            nodes,
            "toy_trend_model",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["batch"])],
            [numpy_helper.from_array(np.asarray(number), name) for name, number in numbers.items()],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def toy_trend_draft(
    market: Market = "replay",
    symbol: str = "SOL/USDT",
    direction: Direction = "up",
    *,
    model: ToyTrendModel | None = None,
    changes: Mapping[str, Any] | None = None,
) -> ArtifactDraft:
    """Return a draft of the toy model, ready to be shelved; `changes` replace fields of its manifest."""
    content = (model or ToyTrendModel()).to_onnx()
    manifest = TrendManifest(**(_manifest_fields(market, symbol, direction) | dict(changes or {})))
    explanation = json.dumps({"features": list(INDICATOR_NAMES)}).encode()
    return ArtifactDraft(
        manifest, {MODEL_FILE: content, GOLDEN_FILE: golden_of(content), "explain.json": explanation}
    )


def toy_trend_evidence(forecaster: str = "pool", skill: float = 0.04) -> TrendEvidence:
    """Return the evidence of a forecaster with one skill against every baseline."""
    return TrendEvidence(
        forecaster=forecaster,
        folds=6,
        blocks=18,
        n=720,
        base_rate=0.3,
        roc_auc=0.82,
        pr_auc=0.6,
        brier=0.16,
        log_loss=0.48,
        skill=dict.fromkeys(TREND_BASELINES, skill),
        skill_low=dict.fromkeys(TREND_BASELINES, skill - 0.02),
        skill_high=dict.fromkeys(TREND_BASELINES, skill + 0.02),
        p_value=dict.fromkeys(TREND_BASELINES, 0.01 if skill > 0 else 0.8),
        calibration=(),
    )


def golden_of(content: bytes) -> bytes:
    """Return the content of `golden.npz` of an exported trend model, on made-up features."""
    features = np.random.default_rng(0).uniform(0, 100, (5, len(INDICATOR_NAMES))).astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, features=features, probability=TrendClassifier(content).probability(features))
    return buffer.getvalue()


def _published() -> PublishedRecord:
    return PublishedRecord(
        accuracy=0.75,
        precision=0.6,
        positive_accuracy=0.5,
        negative_accuracy=0.85,
        overall_score=0.67,
        true_positives=108,
        false_positives=72,
        true_negatives=432,
        false_negatives=108,
    )


def _tags(symbol: str, direction: Direction) -> dict[str, Any]:
    scores = _published().model_dump()
    return {name: scores[name] for name in _SCORES} | {
        "symbol": Symbol.parse(symbol).base,
        "classifier": "toy",
        "classified_trend": f"{direction}trend",
        "target_pct": 5.0,
        "prediction_window_days": 10,
        "feature_names": list(INDICATOR_NAMES),
        "feature_importance": dict.fromkeys(INDICATOR_NAMES, 0.1),
    }


def _manifest_fields(market: Market, symbol: str, direction: Direction) -> dict[str, Any]:
    return {
        "name": f"trend-{direction}.{Symbol.parse(symbol).path_name}.1d",
        "kind": f"trend-{direction}",
        "model": "toy",
        "symbol": symbol,
        "timeframe": "1d",
        "market": market,
        "source": "recorded",
        "inputs": (TensorSpec(name="features", dtype="float32", shape=("batch", len(INDICATOR_NAMES))),),
        "outputs": (TensorSpec(name="probability", dtype="float64", shape=("batch",)),),
        "lookback": WARM_UP,
        "experiment": {"kind": "trend", "symbol": symbol},
        "snapshot": SnapshotReference(
            hash="0" * 64,
            first=datetime(2020, 1, 1, tzinfo=UTC),
            last=datetime(2024, 2, 29, tzinfo=UTC),
            rows=1521,
        ),
        "trained_at": datetime(2024, 3, 1, 2, tzinfo=UTC),
        "data_end": datetime(2024, 3, 1, tzinfo=UTC),
        "folds_end": datetime(2024, 3, 1, tzinfo=UTC),
        "code_version": "0.1.0",
        "library_versions": {"onnx": onnx.__version__},
        "seed": 0,
        "features": INDICATOR_NAMES,
        "label": TrendLabel(),
        "baselines": TrendBaselineRecord(base_rate=0.3, momentum_intercept=-1.2, momentum_slope=20.0),
        "served_by": "toy",
        "evidence": {"pool": toy_trend_evidence()},
        "published": {"pool": _published()},
        "chosen": {"2": "toy"},
        "dropped": {},
        "tags": _tags(symbol, direction),
    }
