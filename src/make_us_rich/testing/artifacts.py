"""A small price model that needs no training, to try the shelf and the service with (extra: `train`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from make_us_rich.arrays import FloatArray
from make_us_rich.forecasting.price.artifact import golden_payload
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.market.activity import MARKET_VARIANCE
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.onnx import OnnxForecaster
from make_us_rich.models.quantiles import HORIZONS, QUANTILE_LEVELS
from make_us_rich.registry.artifact import GOLDEN_FILE, MODEL_FILE, ArtifactDraft
from make_us_rich.registry.manifest import SnapshotReference, TensorSpec
from make_us_rich.settings import Market

_OPSET = 17
_IR_VERSION = 8


@dataclass(frozen=True, slots=True)
class ToyPriceModel:
    """A model that multiplies the last close by fixed factors.

    `hidden` above 0 sends the closes through an LSTM of that size first, whose output is then multiplied
    by 0: the forecast stays the same and costs what a real network costs. With `activity` columns it also
    multiplies by the last value of the last of them; `column_input` is what their input is called.
    """

    spread: float = 0.01
    lookback: int = 48
    hidden: int = 0
    activity: tuple[str, ...] = ()
    column_input: str = "columns"

    @property
    def factors(self) -> FloatArray:
        """What the last close is multiplied by, (horizon, level)."""
        centred = np.asarray(QUANTILE_LEVELS) - 0.5
        return np.exp(self.spread * np.sqrt(HORIZONS)[:, None] * centred)

    def to_onnx(self) -> bytes:
        """Return the model as an ONNX file."""
        nodes = [
            helper.make_node("Gather", ["ohlcv", "close_column"], ["closes"], axis=2),
            helper.make_node("Gather", ["closes", "last_row"], ["last_close"], axis=1),
            helper.make_node("Unsqueeze", ["last_close", "last_axes"], ["price"]),
        ]
        weights = {
            "close_column": np.int64(3),
            "last_row": np.int64(self.lookback - 1),
            "last_axes": np.array([1, 2]),
            "factors": self.factors[None],
        }
        if self.hidden:
            network, network_weights = self._idle_network()
            nodes += network
            weights |= network_weights
        price = "worked_price" if self.hidden else "price"
        if self.activity:
            nodes += [
                helper.make_node("Gather", [self.column_input, "last_column"], ["column"], axis=2),
                helper.make_node("Gather", ["column", "last_row"], ["last_value"], axis=1),
                helper.make_node("Unsqueeze", ["last_value", "last_axes"], ["multiple"]),
                helper.make_node("Mul", [price, "multiple"], ["multiplied_price"]),
            ]
            weights["last_column"] = np.int64(len(self.activity) - 1)
            price = "multiplied_price"
        nodes.append(helper.make_node("Mul", [price, "factors"], ["quantiles"]))
        graph = helper.make_graph(
            nodes,
            "toy_price_model",
            *self._tensors(),
            [numpy_helper.from_array(np.asarray(w), n) for n, w in weights.items()],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    def _tensors(self) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
        inputs = [
            helper.make_tensor_value_info("open_time_ms", TensorProto.INT64, ["batch", self.lookback]),
            helper.make_tensor_value_info("ohlcv", TensorProto.DOUBLE, ["batch", self.lookback, 5]),
        ]
        if self.activity:
            size = ["batch", self.lookback, len(self.activity)]
            inputs.append(helper.make_tensor_value_info(self.column_input, TensorProto.DOUBLE, size))
        shape = ["batch", len(HORIZONS), len(QUANTILE_LEVELS)]
        return inputs, [helper.make_tensor_value_info("quantiles", TensorProto.DOUBLE, shape)]

    def _idle_network(self) -> tuple[list[onnx.NodeProto], dict[str, Any]]:
        numbers = np.random.default_rng(0).normal(0, 0.1, (1, 4 * self.hidden, self.hidden + 5))
        weights = numbers.astype(np.float32)
        nodes = [
            helper.make_node("Cast", ["ohlcv"], ["candles32"], to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["candles32"], ["steps"], perm=[1, 0, 2]),
            helper.make_node("LSTM", ["steps", "w", "r"], ["", "state"], hidden_size=self.hidden),
            helper.make_node("ReduceMean", ["state"], ["mean"], axes=[0, 2], keepdims=0),
            helper.make_node("Cast", ["mean"], ["mean64"], to=TensorProto.DOUBLE),
            helper.make_node("Mul", ["mean64", "zero"], ["nothing"]),
            helper.make_node("Unsqueeze", ["nothing", "last_axes"], ["nothing3"]),
            helper.make_node("Add", ["price", "nothing3"], ["worked_price"]),
        ]
        return nodes, {"w": weights[..., :5], "r": weights[..., 5:], "zero": np.float64(0)}


def toy_draft(
    market: Market = "replay",
    symbol: str = "BTC/USDT",
    *,
    model: ToyPriceModel | None = None,
    changes: Mapping[str, Any] | None = None,
) -> ArtifactDraft:
    """Return a draft of the toy model, ready to be shelved; `changes` replace fields of its manifest."""
    model = model or ToyPriceModel()
    content = model.to_onnx()
    manifest = PriceManifest(**(_manifest_fields(market, symbol, model) | dict(changes or {})))
    return ArtifactDraft(manifest, {MODEL_FILE: content, GOLDEN_FILE: _golden(content, model)})


def _golden(content: bytes, model: ToyPriceModel) -> bytes:
    numbers, lookback = np.random.default_rng(0), model.lookback
    open_time_ms = np.arange(3 * lookback, dtype=np.int64).reshape(3, lookback) * 3_600_000
    ohlcv = numbers.uniform(50.0, 150.0, (3, lookback, 5))
    columns = len(model.activity)
    activity = numbers.uniform(0.5, 1.5, (3, lookback, columns)) if columns else None
    with TemporaryDirectory() as folder:
        path = Path(folder) / MODEL_FILE
        path.write_bytes(content)
        quantiles = OnnxForecaster(path).quantiles(open_time_ms, ohlcv, activity)
    return golden_payload(open_time_ms, ohlcv, quantiles, activity)


def _input_specs(model: ToyPriceModel) -> tuple[TensorSpec, ...]:
    shape = ("batch", model.lookback)
    specs = (
        TensorSpec(name="open_time_ms", dtype="int64", shape=shape),
        TensorSpec(name="ohlcv", dtype="float64", shape=(*shape, 5)),
        TensorSpec(
            name=model.column_input,
            dtype="float64",
            shape=(*shape, len(model.activity)),
            columns=model.activity,
        ),
    )
    return specs if model.activity else specs[:2]


def _manifest_fields(market: Market, symbol: str, model: ToyPriceModel) -> dict[str, Any]:
    timeframe = Timeframe.parse("1h")
    return {
        "name": f"price.{Symbol.parse(symbol).path_name}.{timeframe}",
        "model": "toy",
        "symbol": symbol,
        "timeframe": str(timeframe),
        "market": market,
        "source": "recorded",
        "inputs": _input_specs(model),
        "market_symbols": ("ETH/USDT",) if MARKET_VARIANCE in model.activity else (),
        "outputs": (
            TensorSpec(
                name="quantiles", dtype="float64", shape=("batch", len(HORIZONS), len(QUANTILE_LEVELS))
            ),
        ),
        "window": model.lookback,
        "lookback": model.lookback,
        "horizons": HORIZONS,
        "quantile_levels": QUANTILE_LEVELS,
        "target": "close",
        "experiment": {"model": "toy", "spread": model.spread},
        "snapshot": SnapshotReference(
            hash="0" * 64,
            first=datetime(2024, 1, 1, tzinfo=UTC),
            last=datetime(2024, 3, 1, tzinfo=UTC),
            rows=1441,
        ),
        "trained_at": datetime(2024, 3, 1, 2, tzinfo=UTC),
        "data_end": datetime(2024, 3, 1, 1, tzinfo=UTC),
        "code_version": "0.1.0",
        "library_versions": {"onnx": onnx.__version__},
        "seed": 0,
        "served_by": dict.fromkeys((str(horizon) for horizon in HORIZONS), "toy"),
        "evidence": {},
    }
