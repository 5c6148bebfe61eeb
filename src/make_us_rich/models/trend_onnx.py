"""Run an exported trend classifier: indicators in, probabilities out, no training library."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.models.onnx import open_session


class TrendClassifier:
    """An exported classifier, a path or its bytes, in one ONNX Runtime session with one thread."""

    def __init__(self, model: Path | bytes) -> None:
        self._session = open_session(model)

    def probability(self, features: NDArray[np.floating]) -> FloatArray:
        """Return the calibrated probability (batch,) of features (batch, f).

        Raises `ValueError` if one is not finite: a tree would answer it with a number like any other.
        """
        given = np.asarray(features, dtype=np.float32)
        if not np.isfinite(given).all():
            raise ValueError("features must be finite; rows before the warm-up have none")
        (probability,) = self._session.run(["probability"], {"features": given})
        return np.asarray(probability, dtype=np.float64)
