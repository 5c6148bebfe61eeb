"""The journal of one market in a database, and the one way rows get into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table, or_, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from make_us_rich.database.engine import Database
from make_us_rich.settings import Market

_LOCK_NUMBER = 0x6A6F7572  # "jour", for PostgreSQL's locks that have numbers for names


@dataclass(frozen=True, slots=True)
class Journal:
    """Where the forecasts of a market are written; its tables are there already."""

    database: Database
    market: Market


def take_turn(session: Session) -> None:
    """Wait until no other process scores; on SQLite the transaction of a writer is that already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})


def name_is(column: Column[str], names: Sequence[str]) -> ColumnElement[bool]:
    """Say that a name is one of several, in which `%` stands for anything: `price.%.1h`."""
    return or_(*(column.like(name) if "%" in name else column == name for name in names))


def append_missing(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], returning: Sequence[str] = ()
) -> list[Row[Any]]:
    """Insert the rows whose key is not there yet, leave the others, and return columns of the new ones."""
    if not rows:
        return []
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    statement = insert(table).on_conflict_do_nothing()
    if not returning:
        session.execute(statement, rows)
        return []
    return list(session.execute(statement.returning(*(table.c[name] for name in returning)), rows))
