"""A model as a folder for somebody else's program."""

from dataclasses import dataclass
from pathlib import Path

from make_us_rich.forecasting.kinds import kind_of
from make_us_rich.operations.shelf import resolve_version
from make_us_rich.operations.workplace import Workplace
from make_us_rich.registry.bundle import export_bundle
from make_us_rich.registry.model_name import ModelName
from make_us_rich.settings import Market


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written where."""

    name: str
    version: int
    market: Market
    folder: str
    files: tuple[str, ...]


def export(place: Workplace, text: str, folder: Path) -> Exported:
    """Write a verified version as a folder of its own."""
    shelf = place.shelf()
    name, version = resolve_version(shelf, text)
    artifact = shelf.load(name, version)
    texts = kind_of(ModelName.parse(name)).bundle(artifact.manifest)
    files = export_bundle(artifact, texts, folder)
    return Exported(name, version, place.market, str(folder), tuple(path.name for path in files))
