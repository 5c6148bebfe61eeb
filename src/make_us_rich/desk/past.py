"""Playing a past on a desk that has seen its future would be a lie, so such a past begins with nothing.

The journal begins another history. Candles and models that know the future are set aside: everything that
reads stored candles, trainings and `mur serve` among them, would take them for the present otherwise.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from make_us_rich.database.engine import Database
from make_us_rich.journal.histories import History, begin_history, knows_later, open_history
from make_us_rich.journal.journal import Journal
from make_us_rich.market.files import disk_errors_named
from make_us_rich.operations.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Beginning:
    """The journal a past is played into, and the folders that were set aside for it.

    `is_anew` says that the desk knew what comes after.
    """

    journal: Journal
    is_anew: bool
    set_aside: tuple[Path, ...] = ()


def begin_past(place: Workplace, database: Database, start: datetime, now: datetime) -> Beginning:
    """Go on with the history in use, or begin another one if the desk knows anything later than `start`."""
    current = open_history(database, place.market, start, now)
    candles, models = _candles_know_later(place, start), _models_know_later(place, start)
    if not (candles or models or knows_later(database, current, start)):
        return Beginning(_journal(database, current), is_anew=False)
    fresh = begin_history(database, place.market, start, now)
    # the mirror in MLflow counts versions as the shelf does
    folders = [*(["candles"] if candles else []), *(["shelf", "mlflow"] if models else [])]
    aside = tuple(_set_aside(place.home / name) for name in folders if (place.home / name).exists())
    return Beginning(_journal(database, fresh), is_anew=True, set_aside=aside)


def _journal(database: Database, history: History) -> Journal:
    return Journal(database, history.market, history.number)


def _set_aside(folder: Path) -> Path:
    target = next(path for n in count(1) if not (path := folder.with_name(f"{folder.name}.{n}")).exists())
    with disk_errors_named(folder):
        return folder.rename(target)


def _candles_know_later(place: Workplace, start: datetime) -> bool:
    store = place.store()
    ends = ((store.last_open_time(series), series.timeframe.duration) for series in store.series())
    return any(last is not None and last + duration > start for last, duration in ends)


def _models_know_later(place: Workplace, start: datetime) -> bool:
    shelf = place.shelf()
    return any(
        shelf.manifest(name, version).data_end > start
        for name in shelf.names()
        for version in shelf.versions(name)
    )
