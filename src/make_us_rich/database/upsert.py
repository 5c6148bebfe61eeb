"""Rows that may be there already: both databases can say so in one statement, each in its own words."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Row, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from make_us_rich.database.base import Base

_INSERT: Mapping[str, Callable[..., Any]] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}


def insert_missing(
    session: Session,
    table: Table | type[Base],
    rows: Sequence[Mapping[str, Any]],
    returning: Sequence[str] = (),
) -> list[Row[Any]]:
    """Insert the rows whose key is not there yet, leave the others, and return columns of the new ones."""
    if not rows:
        return []
    connection = session.connection()
    statement = _insertion(table, tuple(rows[0]), tuple(returning), connection.dialect)
    result = connection.execute(statement, list(rows))
    return list(result) if returning else []


@lru_cache(maxsize=128)
def _insertion(
    table: Table | type[Base], given: tuple[str, ...], returning: tuple[str, ...], dialect: Dialect
) -> Any:
    # compiled here, because SQLAlchemy keeps no compiled statement that has an ON CONFLICT
    columns = table.c if isinstance(table, Table) else table.__table__.c
    statement = _INSERT[dialect.name](table).on_conflict_do_nothing()
    if returning:
        statement = statement.returning(*(columns[name] for name in returning))
    return statement.compile(dialect=dialect, column_keys=list(given), for_executemany=True)


def put_row(session: Session, table: type[Base], row: Mapping[str, Any], changed: Sequence[str]) -> None:
    """Insert a row, or where its key is there change the named columns of it."""
    statement = _INSERT[session.get_bind().dialect.name](table).values(row)
    key = [column.name for column in table.__table__.primary_key]
    values = {name: statement.excluded[name] for name in changed}
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
