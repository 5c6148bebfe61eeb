"""The arrays everybody passes around, and where a value stands in a row of candles."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
"""Columns of candles as an array (n, 5)."""
