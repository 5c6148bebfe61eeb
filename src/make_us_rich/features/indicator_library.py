"""TA-Lib, loaded without pandas.

TA-Lib takes Series of pandas as well as arrays, and so loads pandas wherever it is installed: half a second
and some 40 MB in a service that never meets one.
"""

import importlib
import sys
from functools import cache
from threading import Lock
from types import ModuleType

_LOADING = Lock()


@cache
def load_talib() -> ModuleType:
    """Return TA-Lib; loaded first by this function, it takes arrays and Polars columns only."""
    with _LOADING:
        if "talib" in sys.modules or "pandas" in sys.modules:
            return importlib.import_module("talib")
        sys.modules["pandas"] = None  # type: ignore[assignment]  # None: as if it were not installed
        try:
            return importlib.import_module("talib")
        finally:
            del sys.modules["pandas"]
