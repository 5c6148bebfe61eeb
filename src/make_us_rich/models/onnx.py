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


class OnnxForecaster:
    """An exported price model in one ONNX Runtime session with one thread."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime raises its own unexported exception types
            first_line = str(error).splitlines()[0]
            raise ArtifactError(f"{path}: ONNX Runtime refuses the model ({first_line})") from error

    def quantiles(self, open_time_ms: NDArray[np.int64], ohlcv: FloatArray) -> FloatArray:
        """Return prices (batch, horizon, level).

        Takes open times (batch, lookback) and candles (batch, lookback, 5) that are closed, gap-free and in
        order; the last row is the candle that closes at the cutoff.
        """
        (prices,) = self._session.run(["quantiles"], {"open_time_ms": open_time_ms, "ohlcv": ohlcv})
        return np.asarray(prices, dtype=np.float64)
