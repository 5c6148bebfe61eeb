"""Every kind of forecast by its name: ours, and those of installed packages."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import structlog

from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.forecasting.kind import ForecastKind
from make_us_rich.forecasting.price.kind import PriceKind
from make_us_rich.forecasting.trend.kind import TrendKind
from make_us_rich.registries import Registry
from make_us_rich.registry.artifact import AnyArtifactType
from make_us_rich.registry.model_name import ModelName
from make_us_rich.registry.shelf import Shelf
from make_us_rich.settings import Market

KINDS: Registry[ForecastKind] = Registry(
    "make_us_rich.kinds",
    {"price": PriceKind(), "trend-up": TrendKind("up"), "trend-down": TrendKind("down")},
)
"""Packages add theirs by an entry point: a `ForecastKind`, or a class that makes one without arguments."""

_log = structlog.get_logger(__name__)


@cache
def known_kinds() -> Mapping[str, ForecastKind]:
    """Return every kind by name, ours first; one that cannot be used is said in the log and left out."""
    kinds: dict[str, ForecastKind] = {}
    for name in KINDS:
        try:
            kinds[name] = _load(name)
        except Exception as error:  # whatever a package of somebody else runs into stops no other kind
            _log.error("kind not loaded", kind=name, reason=str(error))
    return kinds


def _load(name: str) -> ForecastKind:
    found = KINDS.resolve(name)
    kind: ForecastKind = found() if isinstance(found, type) else found
    if kind.name != name:
        # its forecasts would carry a name under which nobody finds the kind again
        raise UsageError(f"it calls itself {kind.name!r}; its package has to register it under that name")
    return kind


def kind_of(name: ModelName) -> ForecastKind:
    """Return the kind of a name; `UnknownNameError` where no installed package brings it."""
    kinds = known_kinds()
    if name.kind not in kinds:
        raise UnknownNameError(f"{name}: {KINDS.unknown(name.kind)}")
    return kinds[name.kind]


def artifact_types() -> Mapping[str, AnyArtifactType]:
    """Return how the artifacts of each kind are read."""
    return {name: kind.artifact for name, kind in known_kinds().items() if kind.artifact is not None}


def open_shelf(root: Path, market: Market) -> Shelf:
    """Return the shelf in a folder, which can load models of every known kind."""
    return Shelf(root, market, artifact_types())
