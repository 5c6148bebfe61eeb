"""Rows that may be there already: both databases can say so in one statement, each in its own words."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from make_us_rich.database.base import Base


def insert_missing(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet and leave the others as they are."""
    session.execute(_insert(session)(table).on_conflict_do_nothing(), rows)


def put_row(session: Session, table: type[Base], row: Mapping[str, Any], changed: Sequence[str]) -> None:
    """Insert a row, or where its key is there change the named columns of it."""
    statement = _insert(session)(table).values(row)
    key = [column.name for column in table.__table__.primary_key]
    values = {name: statement.excluded[name] for name in changed}
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


def _insert(session: Session) -> Any:
    return sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
