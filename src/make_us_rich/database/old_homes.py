"""The databases homes used to have, one per market: found, dated, and made ready to be joined."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from make_us_rich.database.engine import FILE_NAME, Database, open_database, sqlite_url
from make_us_rich.database.schema import current_revision, upgrade
from make_us_rich.errors import StoreError
from make_us_rich.settings import Market, Settings

LAST_REVISION = "0003"
"""The schema of the last version that had a database per market."""

_KNOWN = (None, "0001", "0002", LAST_REVISION)
_TRACES = (
    ("users", "last_login_at"), ("sessions", "created_at"), ("one_time_links", "created_at"), ("audit", "at"),
    ("invitations", "created_at"), ("tokens", "last_used_at"), ("forecasts", "recorded_at"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OldHome:
    """The database of one market, as it lies there."""

    market: Market
    path: Path

    @property
    def fingerprint(self) -> str:
        """What tells this very file, as it is now, from another."""
        stat = self.path.stat()
        return f"{stat.st_size}-{stat.st_mtime_ns}"

    def put_away(self) -> None:
        """Give the file another name, under which nobody looks for it; nothing of it is deleted."""
        target = self.path.with_name(f"{FILE_NAME}.joined")
        if target.exists():
            target = self.path.with_name(f"{FILE_NAME}.joined.{self.fingerprint}")
        self.path.rename(target)


def find_old_homes(settings: Settings) -> list[OldHome]:
    """Return the databases of markets that lie in a home; with `MUR_DATABASE_URL` they were never in use."""
    if settings.database_url is not None:
        return []
    paths = {market: settings.market_home(market) / FILE_NAME for market in get_args(Market)}
    return [OldHome(market, path) for market, path in paths.items() if path.is_file()]


def last_started(home: OldHome) -> datetime:
    """Return when a market was last in use: the newest trace of people, of the journal, or of the file.

    A copied file has the time of its copy, and then the traces inside tell them apart only if they are newer.
    """
    files = [home.path, home.path.with_name(f"{FILE_NAME}-wal")]
    found = [datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in files if path.is_file()]
    with closing(sqlite3.connect(f"{home.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        for table, column in _TRACES:
            with suppress(sqlite3.Error):  # an older schema has no such table
                (newest,) = connection.execute(f"SELECT max({column}) FROM {table}").fetchone()  # noqa: S608
                found += [datetime.fromisoformat(newest).replace(tzinfo=UTC)] if newest else []
    return max(found)


def prepare(home: OldHome) -> None:
    """Bring an old database to the last schema it could have, whole in its one file; its times stay.

    While another program uses it that is refused.
    """
    stat = home.path.stat()
    database = open_database(sqlite_url(home.path))
    with _in_use_named(home):
        try:
            _bring_to_last(home, database)
        finally:
            database.close()
        _leave_one_file(home)
    os.utime(home.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _bring_to_last(home: OldHome, database: Database) -> None:
    revision = current_revision(database)
    if revision not in _KNOWN:
        raise StoreError(
            f"database {home.path} has schema {revision}, which no desk of one market had; move it away"
        )
    if revision != LAST_REVISION:
        upgrade(database, LAST_REVISION)


def _leave_one_file(home: OldHome) -> None:
    with closing(sqlite3.connect(home.path, timeout=1.0, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        if mode != "delete":
            raise sqlite3.OperationalError("database is locked")


@contextmanager
def _in_use_named(home: OldHome) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(
            f"database {home.path}: {error}; stop what still uses it, so that it can be joined"
        ) from error
