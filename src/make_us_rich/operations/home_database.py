"""The database of a home: made, migrated and joined from older ones as it is opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from make_us_rich.accounts.secret_key import adopt_secret_key
from make_us_rich.database.engine import FILE_NAME, Database, database_url, open_database
from make_us_rich.database.joining import join_homes
from make_us_rich.database.old_homes import find_old_homes
from make_us_rich.database.schema import bring_up_to_date, create_if_absent, has_tables, require_current
from make_us_rich.settings import Settings


@contextmanager
def opened_database(settings: Settings, *, migrates: bool = False) -> Iterator[Database]:
    """Yield the database of this home, made if it is absent; one of another version is migrated or refused.

    Where it is made, or migrated, the databases that markets used to have are joined into it first.
    """
    database = open_database(database_url(settings))
    try:
        is_there = has_tables(database)
        if is_there and migrates:
            bring_up_to_date(database)
        if is_there:
            require_current(database)
        if migrates or not is_there:
            _join_old_homes(settings, database)
        create_if_absent(database)
        require_current(database)
        yield database
    finally:
        database.close()


def has_database(settings: Settings) -> bool:
    """Say whether this home has a database, so that a command which only looks need not make one."""
    if settings.database_url is not None or find_old_homes(settings):
        return True
    return (settings.home.expanduser() / FILE_NAME).is_file()


def _join_old_homes(settings: Settings, database: Database) -> None:
    if homes := find_old_homes(settings):
        join_homes(database, homes, datetime.now(UTC), lambda markets: adopt_secret_key(settings, markets))
