"""Run an exported model: NumPy in, quantiles of the close out, no torch."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import ArtifactError
from make_us_rich.market.activity import COLUMN_INPUTS

# Unless this is set before its import, ONNX Runtime reports its use to its makers, and keeps a device id in
# the home of the person and a file among the temporary ones.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

INPUT_NAMES = ("open_time_ms", "ohlcv", "columns")
"""The inputs of a price graph, the last one only where it reads more than candles."""


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Return a session with one thread; a graph ONNX Runtime refuses is an `ArtifactError`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    content = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(content, sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own unexported exception types
        first_line = str(error).splitlines()[0]
        name = "model" if isinstance(model, bytes) else model
        raise ArtifactError(f"{name}: ONNX Runtime refuses the model ({first_line})") from error


class OnnxForecaster:
    """An exported price model, a path or its bytes, in one ONNX Runtime session with one thread."""

    def __init__(self, model: Path | bytes) -> None:
        self._session = open_session(model)
        names = [one.name for one in self._session.get_inputs()]
        third = next((name for name in COLUMN_INPUTS if name in names), COLUMN_INPUTS[0])
        self._names = (*INPUT_NAMES[:2], third)

    @property
    def lookback(self) -> int:
        """How many candles the graph reads."""
        return int(self._session.get_inputs()[0].shape[1])

    def quantiles(
        self, open_time_ms: NDArray[np.int64], ohlcv: FloatArray, columns: FloatArray | None = None
    ) -> FloatArray:
        """Return prices (batch, horizon, level).

        Takes open times (batch, lookback) and candles (batch, lookback, 5) that are closed, gap-free and in
        order; the last row is the candle that closes at the cutoff. A graph that reads more also takes its
        columns (batch, lookback, k).
        """
        given = zip(self._names, (open_time_ms, ohlcv, columns), strict=True)
        (prices,) = self._session.run(
            ["quantiles"], {name: array for name, array in given if array is not None}
        )
        return np.asarray(prices, dtype=np.float64)
