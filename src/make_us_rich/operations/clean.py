"""Old versions and the snapshots nobody needs leave the shelf."""

from dataclasses import dataclass
from datetime import datetime

from make_us_rich.journal.histories import drop_old
from make_us_rich.operations.home_database import has_database, opened_database
from make_us_rich.operations.workplace import Workplace, standing_clock
from make_us_rich.registry.cleaning import (
    OldSnapshot,
    OldVersion,
    clean_versions,
    remove_snapshots,
    unused_snapshots,
)
from make_us_rich.settings import Market


@dataclass(frozen=True, slots=True)
class OldHistory:
    """A past that was begun anew long ago, and how many forecasts were written in it."""

    number: int
    began_at: datetime
    started_at: datetime
    forecasts: int


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What has left, or would with `dry_run`."""

    market: Market
    dry_run: bool
    versions: tuple[OldVersion, ...]
    snapshots: tuple[OldSnapshot, ...]
    histories: tuple[OldHistory, ...]
    freed_bytes: int


def clean(place: Workplace, wall_now: datetime, *, dry_run: bool) -> Cleaned:
    """Remove old versions and unused snapshots, or say which they are.

    A replay is as old as its candles: the age of its versions is counted from where they end. Histories of
    a replay or a simulation, but for the one in use, leave the journal 30 days after they were started.
    """
    shelf = place.shelf()
    versions = clean_versions(shelf, standing_clock(place, wall_now).now(), dry_run=dry_run)
    snapshots = unused_snapshots(place.snapshots, shelf, versions, wall_now)
    if not dry_run:
        remove_snapshots(place.snapshots, snapshots)
    freed = sum(one.size_bytes for one in versions) + sum(one.size_bytes for one in snapshots)
    histories = _old_histories(place, wall_now, dry_run=dry_run)
    return Cleaned(place.market, dry_run, tuple(versions), tuple(snapshots), histories, freed)


def _old_histories(place: Workplace, wall_now: datetime, *, dry_run: bool) -> tuple[OldHistory, ...]:
    if place.market == "live" or not has_database(place.settings):
        return ()
    with opened_database(place.settings) as database:
        return tuple(
            OldHistory(old.number, old.began_at, old.started_at, n_forecasts)
            for old, n_forecasts in drop_old(database, place.market, wall_now, dry_run=dry_run)
        )
