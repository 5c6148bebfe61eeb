"""Write a fitted graph as ONNX, and prove that what was written says the same."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import ArtifactError
from make_us_rich.models.onnx import INPUT_NAMES, OnnxForecaster
from make_us_rich.models.price_graph import PriceGraph

RELATIVE_PRICE_TOLERANCE = 1e-6
NORMALISED_TOLERANCE = 1e-5  # of the log return in units of the past week's volatility


@dataclass(frozen=True, slots=True)
class GoldenWindows:
    """Inputs to check an export with: open times (b, lookback), candles (b, lookback, 5), columns (…, k)."""

    open_time_ms: NDArray[np.int64]
    ohlcv: FloatArray
    columns: FloatArray | None = None

    def tensors(self) -> tuple[Tensor, ...]:
        """Return what there is of them, in the order the graph takes them."""
        arrays = (self.open_time_ms, self.ohlcv, self.columns)
        return tuple(torch.from_numpy(array) for array in arrays if array is not None)


@dataclass(frozen=True, slots=True)
class Parity:
    """The largest differences between torch and ONNX Runtime over all windows tried."""

    windows: int
    relative_price: float
    normalised: float


def export_onnx(graph: PriceGraph, sample: GoldenWindows) -> bytes:
    """Return the ONNX file of a graph; the batch axis is free, the lookback fixed."""
    buffer = io.BytesIO()
    inputs = tuple(tensor[:2] for tensor in sample.tensors())
    names = INPUT_NAMES[: len(inputs)]
    with warnings.catch_warnings():
        # the tracing exporter is deprecated, but writes in 0.1 s what the new one needs 2-6 s for
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(),
            inputs,
            buffer,  # type: ignore[arg-type]  # the tracing exporter writes to any binary file
            dynamo=False,
            opset_version=17,
            input_names=list(names),
            output_names=["quantiles"],
            dynamic_axes={name: {0: "batch"} for name in (*names, "quantiles")},
        )
    return _with_every_input(buffer.getvalue(), inputs, names)


def _with_every_input(model: bytes, inputs: tuple[Tensor, ...], names: Sequence[str]) -> bytes:
    # the exporter drops an input that nothing reads, but whoever runs the graph gives it all of them
    loaded = onnx.load_model_from_string(model)
    there = {one.name for one in loaded.graph.input}
    if there.issuperset(names):
        return model
    for name, tensor in zip(names, inputs, strict=True):
        if name not in there:
            kind = onnx.TensorProto.INT64 if tensor.dtype == torch.int64 else onnx.TensorProto.DOUBLE
            shape = ["batch", *tensor.shape[1:]]
            loaded.graph.input.append(onnx.helper.make_tensor_value_info(name, kind, shape))
    return bytes(loaded.SerializeToString())


def check_parity(graph: PriceGraph, model: bytes, windows: GoldenWindows) -> tuple[Parity, FloatArray]:
    """Return how far ONNX Runtime is from torch, with its prices; `ArtifactError` when too far."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model)
        exported = OnnxForecaster(path).quantiles(windows.open_time_ms, windows.ohlcv, windows.columns)
    with torch.no_grad():
        open_time_ms, ohlcv, *further = windows.tensors()
        prices = graph(open_time_ms, ohlcv, *further).numpy()
        columns = graph.features(open_time_ms, ohlcv, 1, *further)
        week = columns.week_volatility[:, -1, None, None].numpy()
    parity = Parity(
        windows=len(prices),
        relative_price=float(np.max(np.abs(exported / prices - 1))),
        normalised=float(np.max(np.abs(np.log(exported / prices)) / np.maximum(week, 1e-8))),
    )
    if parity.relative_price > RELATIVE_PRICE_TOLERANCE or parity.normalised > NORMALISED_TOLERANCE:
        raise ArtifactError(f"the exported model differs from the fitted one ({parity}); it is not shelved")
    return parity, exported
