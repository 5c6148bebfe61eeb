"""What stands on the shelf, and the two ways a person moves the pointer."""

from dataclasses import dataclass
from datetime import datetime

from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.operations.progress import Progress
from make_us_rich.operations.workplace import Workplace
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.shelf import Champion, Decision, Shelf
from make_us_rich.settings import Market
from make_us_rich.training.tracking import open_tracker, tell_champion


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A name with its versions; without a champion a baseline is served."""

    name: str
    versions: tuple[int, ...]
    champion: Champion | None


@dataclass(frozen=True, slots=True)
class ShelfList:
    """Every name of a market."""

    market: Market
    models: tuple[ListedModel, ...]


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """One version: what it is, the evidence of who serves, and every decision about it."""

    name: str
    version: int
    is_champion: bool
    champion: Champion | None
    evidence: tuple[object, ...]
    decisions: tuple[Decision, ...]
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Pointed:
    """The version that is served now."""

    name: str
    version: int
    previous: int | None
    reason: str
    at: datetime


def list_models(place: Workplace) -> ShelfList:
    """Return every name with its versions and its champion."""
    shelf = place.shelf()
    models = tuple(
        ListedModel(name, tuple(shelf.versions(name)), shelf.champion(name)) for name in shelf.names()
    )
    return ShelfList(place.market, models)


def show_version(place: Workplace, text: str) -> ShownVersion:
    """Return what there is to know about NAME[@VERSION]."""
    shelf = place.shelf()
    name, version = resolve_version(shelf, text)
    manifest, champion = shelf.manifest(name, version), shelf.champion(name)
    return ShownVersion(
        name=name,
        version=version,
        is_champion=champion is not None and champion.version == version,
        champion=champion,
        evidence=tuple(manifest.served_evidence()),
        decisions=tuple(one for one in shelf.decisions(name) if one.version == version),
        manifest=manifest,
    )


def resolve_version(shelf: Shelf, text: str) -> tuple[str, int]:
    """Read NAME[@VERSION]; without a version it is the one that is served, or else the newest."""
    name, version = _split(text)
    versions = shelf.versions(name)
    if not versions:
        known = ", ".join(shelf.names()) or "none"
        raise UnknownNameError(f"no model {name} stands on the {shelf.market} shelf; there are: {known}")
    if version is None:
        champion = shelf.champion(name)
        version = champion.version if champion else versions[-1]
    return name, version


def promote(place: Workplace, text: str, now: datetime, progress: Progress) -> Pointed:
    """Serve a version a person has chosen, and record that it was a person."""
    shelf = place.shelf()
    name, version = _split(text)
    if version is None:
        raise UsageError(f"say which version to promote: {name}@VERSION; `mur models list` names them")
    champion = shelf.promote(name, version, "promoted by hand", now)
    decision = Decision(at=now, version=version, kind="manual", promoted=True, reasons=("promoted by hand",))
    shelf.record_decision(name, decision)
    _tell(place, name, progress)
    if said := shelf.manifest(name, version).who_answers():
        progress(said)
    return _pointed(name, champion)


def roll_back(place: Workplace, text: str, now: datetime, progress: Progress) -> Pointed:
    """Serve the previous champion again."""
    name, version = _split(text)
    if version is not None:
        raise UsageError(
            f"a rollback returns to the previous champion; to choose one, `mur models promote {text}`"
        )
    champion = place.shelf().rollback(name, now)
    _tell(place, name, progress)
    return _pointed(name, champion)


def _tell(place: Workplace, name: str, progress: Progress) -> None:
    tell_champion(open_tracker(place.settings.tracking, place.home), place.shelf(), name, progress)


def _split(text: str) -> tuple[str, int | None]:
    name, at, version = text.partition("@")
    if at and not version.isdecimal():
        raise UsageError(f"version {version!r} is not a number; write NAME@3")
    return name, int(version) if at else None


def _pointed(name: str, champion: Champion) -> Pointed:
    return Pointed(name, champion.version, champion.previous, champion.reason, champion.at)
