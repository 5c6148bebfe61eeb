"""What may leave the shelf: old versions nobody points to, and snapshots that no version needs any more."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from make_us_rich.errors import ArtifactError
from make_us_rich.market.files import disk_errors_named
from make_us_rich.registry.shelf import Champion, Shelf

KEPT_FOR = timedelta(days=30)
SNAPSHOT_GRACE = timedelta(days=1)
"""A training saves its snapshot long before its version stands; younger files may be in use by one."""


@dataclass(frozen=True, slots=True)
class OldVersion:
    """A version that may leave, or has left."""

    name: str
    version: int
    trained_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OldSnapshot:
    """A snapshot that no version needs."""

    content_hash: str
    size_bytes: int


def removable_versions(
    trained_at: Mapping[int, datetime], champion: Champion | None, now: datetime
) -> list[int]:
    """Return the versions that are older than 30 days and neither served, nor the way back, nor the newest.

    The newest is kept because its training may just be about to decide on it.
    """
    kept = {max(trained_at, default=None)}
    if champion is not None:
        kept |= {champion.version, champion.previous}
    return [v for v, at in sorted(trained_at.items()) if v not in kept and at < now - KEPT_FOR]


def clean_versions(shelf: Shelf, now: datetime, *, dry_run: bool) -> list[OldVersion]:
    """Remove the old versions of every name, or only say which they are; either way return them."""
    return [old for name in shelf.names() for old in _clean_name(shelf, name, now, dry_run=dry_run)]


def unused_snapshots(
    folder: Path, shelf: Shelf, leaving: Collection[OldVersion], wall_now: datetime
) -> list[OldSnapshot]:
    """Return the snapshots that no version needs once some have left; files younger than a day stay.

    If a version cannot be read, nobody knows what it needs, and all snapshots stay.
    """
    gone = {(old.name, old.version) for old in leaving}
    staying = [(n, v) for n in shelf.names() for v in shelf.versions(n) if (n, v) not in gone]
    try:
        needed = {shelf.manifest(name, version).snapshot.hash for name, version in staying}
    except ArtifactError:
        return []
    with disk_errors_named(folder):
        stats = {path.stem: path.stat() for path in sorted(folder.glob("*.parquet"))}
    oldest_kept = (wall_now - SNAPSHOT_GRACE).timestamp()
    return [
        OldSnapshot(content_hash, stat.st_size)
        for content_hash, stat in stats.items()
        if content_hash not in needed and stat.st_mtime < oldest_kept
    ]


def remove_snapshots(folder: Path, snapshots: Collection[OldSnapshot]) -> None:
    """Remove snapshots from their folder."""
    with disk_errors_named(folder):
        for snapshot in snapshots:
            (folder / f"{snapshot.content_hash}.parquet").unlink(missing_ok=True)


def _clean_name(shelf: Shelf, name: str, now: datetime, *, dry_run: bool) -> list[OldVersion]:
    old = _describe_versions(shelf, name)

    def choose(versions: Sequence[int], champion: Champion | None) -> list[int]:
        return removable_versions({v: old[v].trained_at for v in versions if v in old}, champion, now)

    if dry_run:
        return [old[version] for version in choose(shelf.versions(name), shelf.champion(name))]
    return [old[version] for version in shelf.remove_versions(name, choose)]


def _describe_versions(shelf: Shelf, name: str) -> dict[int, OldVersion]:
    described = {}
    for version in shelf.versions(name):
        folder = shelf.folder(name, version)
        try:
            trained_at = shelf.manifest(name, version).trained_at
        except ArtifactError:  # what cannot be dated is left to a person
            continue
        described[version] = OldVersion(name, version, trained_at, _size(folder))
    return described


def _size(folder: Path) -> int:
    with disk_errors_named(folder):
        return sum(path.stat().st_size for path in folder.iterdir())
