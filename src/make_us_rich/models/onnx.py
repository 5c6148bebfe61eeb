"""Run an exported model: NumPy in, quantiles of the close out, no torch."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from make_us_rich.errors import ArtifactError
from make_us_rich.models.forecast import FloatArray

# Unless this is set before its import, ONNX Runtime reports its use to its makers, and keeps a device id in
# the home of the person and a file among the temporary ones.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

INPUT_NAMES = ("open_time_ms", "ohlcv", "activity")
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
    """An exported price model in one ONNX Runtime session with one thread."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)

    def quantiles(
        self, open_time_ms: NDArray[np.int64], ohlcv: FloatArray, activity: FloatArray | None = None
    ) -> FloatArray:
        """Return prices (batch, horizon, level).

        Takes open times (batch, lookback) and candles (batch, lookback, 5) that are closed, gap-free and in
        order; the last row is the candle that closes at the cutoff. A graph with optional inputs also takes
        their activity (batch, lookback, k).
        """
        given = zip(INPUT_NAMES, (open_time_ms, ohlcv, activity), strict=True)
        (prices,) = self._session.run(
            ["quantiles"], {name: array for name, array in given if array is not None}
        )
        return np.asarray(prices, dtype=np.float64)
