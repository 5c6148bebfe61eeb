"""Playing a past on a desk that has seen its future would be a lie, so such a desk is set aside first."""

from datetime import datetime
from itertools import count
from pathlib import Path

from make_us_rich.desk.workplace import Workplace
from make_us_rich.market.files import disk_errors_named
from make_us_rich.registry.artifact import read_manifest


def set_aside_future(place: Workplace, start: datetime) -> Path | None:
    """Rename the home of a market that knows anything later than `start`; return its new name, if it did."""
    if not _knows_later(place, start):
        return None
    earlier = next(
        path for n in count(1) if not (path := place.home.with_name(f"{place.home.name}.{n}")).exists()
    )
    with disk_errors_named(place.home):
        place.home.rename(earlier)
    return earlier


def _knows_later(place: Workplace, start: datetime) -> bool:
    store, shelf = place.store(), place.shelf()
    for source, symbol, timeframe in store.series():
        last = store.last_open_time(source, symbol, timeframe)
        if last is not None and last + timeframe.duration > start:
            return True
    return any(
        read_manifest(shelf.folder(name, version)).data_end > start
        for name in shelf.names()
        for version in shelf.versions(name)
    )
