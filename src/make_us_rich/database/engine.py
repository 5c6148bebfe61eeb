"""The way to the database: SQLite in a file of the desk unless an address of PostgreSQL is given."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from make_us_rich.errors import StoreError, UsageError
from make_us_rich.settings import Settings

FILE_NAME = "desk.db"
BUSY_SECONDS = 15
"""How long a writer waits for another one, on SQLite, or for a connection, on PostgreSQL."""

_WRITES = "make_us_rich_writes"


class Database:
    """Short transactions over one engine; failures of the database itself are raised as `StoreError`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(**{_WRITES: True})

    @property
    def label(self) -> str:
        """How the database is called in front of people; a password is not part of it."""
        url = self.engine.url
        return str(url.database) if self.is_sqlite else url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session over one consistent state; what it changes is not kept."""
        with self._failures_named(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session whose changes are kept together when the block ends well, and else not at all.

        On SQLite one writer works at a time, from its first statement on: what it reads nobody changes.
        On PostgreSQL rows that are read to be changed need `with_for_update()`.
        """
        with self._failures_named(), Session(self._writing, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def write_connection(self) -> Iterator[Connection]:
        """Yield a connection in a transaction like that of `write`."""
        with self._failures_named(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def write_beside(self, files: Mapping[str, Path]) -> Iterator[Connection]:
        """Yield a connection like that of `write_connection` that also sees other SQLite files, by name."""
        with self._failures_named(), self._writing.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            try:
                for name, path in files.items():
                    _attach(driver, name, path)
                with connection.begin():
                    yield connection
            finally:
                connection.invalidate()  # whoever gets the next one sees this database alone

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            raise UsageError(f"a value cannot be stored: {_first_line(error)}; send a smaller one") from error
        except (OperationalError, InterfaceError) as error:
            raise StoreError(
                f"database {self.label}: {_first_line(error)}; see that it runs and may be written"
            ) from error


def open_database(url: str | URL) -> Database:
    """Return the database at an address, `sqlite:///…` or `postgresql://…`; nothing is connected yet."""
    parsed = _parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite_engine(parsed))
    engine = create_engine(
        parsed,
        pool_pre_ping=True,
        pool_timeout=BUSY_SECONDS,
        connect_args={"connect_timeout": BUSY_SECONDS},
        hide_parameters=True,  # hashes and names of people have no place in messages
    )
    return Database(engine)


def database_url(settings: Settings) -> str:
    """Return the address of the database of this home: `MUR_DATABASE_URL`, or the file `desk.db` in it."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return sqlite_url(settings.home.expanduser() / FILE_NAME)


def sqlite_url(path: Path) -> str:
    """Return the address of a file, whatever signs are in its name."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def _parse_url(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UsageError("MUR_DATABASE_URL is not an address; write sqlite:///… or postgresql://…") from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        return parsed
    raise UsageError(f"MUR_DATABASE_URL: {backend} is not a store; write sqlite:///FILE or postgresql://…")


def _sqlite_engine(url: URL) -> Engine:
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "do_connect", lambda *_: _make_private(path))
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    # it holds the hashes of passwords and tokens; the files SQLite puts beside it take its mode over
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    # The driver would begin transactions by itself, too late and not around changes of tables.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A reader that becomes a writer is refused at once if another wrote meanwhile; so writers say so first.
    writes = connection.get_execution_options().get(_WRITES, False)
    statement = "BEGIN IMMEDIATE" if writes else "BEGIN"
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(statement).close()
    except sqlite3.Error as error:  # what SQLAlchemy would have made of it
        raise OperationalError(statement, None, error) from error


def _attach(driver: Any, name: str, path: Path) -> None:
    statement = f"ATTACH DATABASE ? AS {name}"
    try:
        driver.execute(statement, (str(path),)).close()
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
