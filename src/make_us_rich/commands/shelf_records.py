"""What stands on the shelf, as records in JSON types, and the two ways a person moves the pointer."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from make_us_rich.commands.answer import say
from make_us_rich.desk.market_choice import standing_clock
from make_us_rich.desk.workplace import Workplace
from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.artifact import AnyManifest, read_manifest
from make_us_rich.registry.bundle import export_bundle
from make_us_rich.registry.cleaning import clean_versions, remove_snapshots, unused_snapshots
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.shelf import Champion, Decision, Shelf
from make_us_rich.registry.trend_manifest import TrendManifest
from make_us_rich.training.tracking import open_tracker, tell_champion


def list_record(place: Workplace) -> dict[str, Any]:
    """Return every name with its versions and its champion."""
    shelf = place.shelf()
    models = [
        {
            "name": name,
            "versions": shelf.versions(name),
            "champion": _champion_record(shelf.champion(name)),
        }
        for name in shelf.names()
    ]
    return {"market": place.market, "models": models}


def version_record(place: Workplace, text: str) -> dict[str, Any]:
    """Return one version: what it is, its evidence and every decision about it."""
    shelf = place.shelf()
    name, version = resolve_version(shelf, text)
    manifest = read_manifest(shelf.folder(name, version))
    champion = shelf.champion(name)
    decisions = [decision for decision in shelf.decisions(name) if decision.version == version]
    return {
        "name": name,
        "version": version,
        "is_champion": champion is not None and champion.version == version,
        "champion": _champion_record(champion),
        "evidence": _evidence_records(manifest),
        "decisions": [decision.model_dump(mode="json") for decision in decisions],
        "manifest": manifest.model_dump(mode="json"),
    }


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


def promote(place: Workplace, text: str, now: datetime) -> dict[str, Any]:
    """Serve a version a person has chosen, and record that it was a person."""
    shelf = place.shelf()
    name, version = _split(text)
    if version is None:
        raise UsageError(f"say which version to promote: {name}@VERSION; `mur models list` names them")
    champion = shelf.promote(name, version, "promoted by hand", now)
    decision = Decision(at=now, version=version, kind="manual", promoted=True, reasons=("promoted by hand",))
    shelf.record_decision(name, decision)
    _tell(place, name)
    _say_who_answers(read_manifest(shelf.folder(name, version)))
    return _served_record(name, champion)


def roll_back(place: Workplace, text: str, now: datetime) -> dict[str, Any]:
    """Serve the previous champion again."""
    name, version = _split(text)
    if version is not None:
        raise UsageError(
            f"a rollback returns to the previous champion; to choose one, `mur models promote {text}`"
        )
    champion = place.shelf().rollback(name, now)
    _tell(place, name)
    return _served_record(name, champion)


def export_record(place: Workplace, text: str, folder: Path) -> dict[str, Any]:
    """Write a verified version as a folder of its own."""
    shelf = place.shelf()
    name, version = resolve_version(shelf, text)
    files = export_bundle(shelf.load_any(name, version), folder)
    return {
        "name": name,
        "version": version,
        "market": place.market,
        "folder": str(folder),
        "files": [path.name for path in files],
    }


def clean_record(place: Workplace, wall_now: datetime, *, dry_run: bool) -> dict[str, Any]:
    """Remove old versions and the snapshots nobody needs, or say which they are.

    A replay is as old as its candles: the age of its versions is counted from where they end.
    """
    shelf = place.shelf()
    versions = clean_versions(shelf, standing_clock(place, wall_now).now(), dry_run=dry_run)
    snapshots = unused_snapshots(place.snapshots, shelf, versions, wall_now)
    if not dry_run:
        remove_snapshots(place.snapshots, snapshots)
    return {
        "market": place.market,
        "dry_run": dry_run,
        "versions": [asdict(old) for old in versions],
        "snapshots": [asdict(old) for old in snapshots],
        "freed_bytes": sum(one.size_bytes for one in versions) + sum(one.size_bytes for one in snapshots),
    }


def _tell(place: Workplace, name: str) -> None:
    tell_champion(open_tracker(place.settings.tracking, place.home), place.shelf(), name, say)


def _say_who_answers(manifest: AnyManifest) -> None:
    if isinstance(manifest, TrendManifest) and manifest.served_by in TREND_BASELINES:
        say(
            f"{manifest.name}: {manifest.model} is not proven better than the baselines, so "
            f"{manifest.served_by} goes on answering, with the model shown beside it."
        )


def _split(text: str) -> tuple[str, int | None]:
    name, at, version = text.partition("@")
    if at and not version.isdecimal():
        raise UsageError(f"version {version!r} is not a number; write NAME@3")
    return name, int(version) if at else None


def _evidence_records(manifest: AnyManifest) -> list[dict[str, Any]]:
    if not isinstance(manifest, Manifest):
        return [record.model_dump(mode="json") for record in manifest.evidence.values()]
    found = [manifest.evidence_at(horizon) for horizon in manifest.horizons]
    return [record.model_dump(mode="json") for record in found if record is not None]


def _champion_record(champion: Champion | None) -> dict[str, Any] | None:
    return champion.model_dump(mode="json") if champion else None


def _served_record(name: str, champion: Champion) -> dict[str, Any]:
    return {"name": name, **champion.model_dump(mode="json")}
