"""The version of the tables: made when there are none, changed when a person or `mur up` says so."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from make_us_rich.database.engine import Database
from make_us_rich.errors import StoreError

MIGRATE_COMMAND = "mur doctor --migrate"

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK_NUMBER = 0x6D7572  # "mur", for PostgreSQL's locks that have numbers for names


def create_if_absent(database: Database) -> bool:
    """Make every table if there is none yet, and say whether that was done; safe in several processes."""
    with database.write_connection() as connection:
        return create_tables(connection)


def create_tables(connection: Connection) -> bool:
    """Make every table if there is none yet, in the transaction of a writer, and say whether it was done."""
    _take_lock(connection)
    if inspect(connection).get_table_names():
        return False
    _migrate(connection, "upgrade", "head")
    return True


def has_tables(database: Database) -> bool:
    """Say whether there is any table."""
    with database.read() as session:
        return bool(inspect(session.connection()).get_table_names())


def require_current(database: Database) -> None:
    """Raise `StoreError`, which names the way out, unless the tables are of the version this code knows."""
    current, wanted = current_revision(database), head_revision()
    if current == wanted:
        return
    if current is not None and current not in _revisions():
        raise StoreError(
            f"database {database.label} was written by a newer version (schema {current}, this one knows "
            f"{wanted}); install that version again, or restore a backup"
        )
    found = f"has schema {current}" if current else "holds tables that are not ours or very old"
    raise StoreError(f"database {database.label} {found}, needed is {wanted}; run `{MIGRATE_COMMAND}`")


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the tables to a newer version; all of it happens or nothing."""
    with database.write_connection() as connection:
        _take_lock(connection)
        _migrate(connection, "upgrade", revision)


def downgrade(database: Database, revision: str = "base") -> None:
    """Bring the tables back to an older version; what that one has no place for is lost."""
    with database.write_connection() as connection:
        _take_lock(connection)
        _migrate(connection, "downgrade", revision)


def bring_up_to_date(database: Database) -> bool:
    """Upgrade tables of an older version, and say whether that was done; of a newer one they stay."""
    current = current_revision(database)
    if current is None and _is_foreign(database):
        return False
    if current == head_revision() or current not in {None, *_revisions()}:
        return False
    upgrade(database)
    return True


def current_revision(database: Database) -> str | None:
    """Return the version of the tables; None where there are none."""
    with database.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def head_revision() -> str:
    """Return the version of the tables this code works with."""
    return str(_scripts().get_current_head())


def _is_foreign(database: Database) -> bool:
    with database.read() as session:
        return bool(set(inspect(session.connection()).get_table_names()) - {"alembic_version"})


def _revisions() -> set[str]:
    return {script.revision for script in _scripts().walk_revisions()}


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_SCRIPTS))


def _migrate(connection: Connection, direction: str, revision: str) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    {"upgrade": command.upgrade, "downgrade": command.downgrade}[direction](config, revision)


def _take_lock(connection: Connection) -> None:
    # on SQLite the transaction of a writer is the lock
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
