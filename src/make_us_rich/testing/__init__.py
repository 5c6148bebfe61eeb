"""Contracts a part from outside can be tested against, the same ones our own parts pass.

Each is imported when it is asked for: the one of a price model needs the extra `train`, the others do not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from make_us_rich.testing.features import check_feature
    from make_us_rich.testing.kinds import check_kind
    from make_us_rich.testing.price_models import check_price_model
    from make_us_rich.testing.sources import check_candle_source

__all__ = ["check_candle_source", "check_feature", "check_kind", "check_price_model"]

_MODULES = {
    "check_candle_source": "make_us_rich.testing.sources",
    "check_feature": "make_us_rich.testing.features",
    "check_kind": "make_us_rich.testing.kinds",
    "check_price_model": "make_us_rich.testing.price_models",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
