"""The journal of one market in a database, or more exactly one history of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Table, and_, or_, text
from sqlalchemy.orm import Session

from make_us_rich.database.engine import Database
from make_us_rich.settings import Market

_LOCK_NUMBER = 0x6A6F7572  # "jour", for PostgreSQL's locks that have numbers for names


@dataclass(frozen=True, slots=True)
class Journal:
    """Where the forecasts of a market are written; its tables are there already.

    A replay that begins anew is another `history` of its market; rows of one are never seen in another.
    """

    database: Database
    market: Market
    history: int = 1

    def holds(self, table: Table) -> ColumnElement[bool]:
        """Say that a row of a table is of this journal."""
        return and_(table.c.market == self.market, table.c.history == self.history)


def may_see(owner: Column[int], asker: int | None) -> ColumnElement[bool]:
    """Say that a row is everybody's, or that it belongs to who asks; None asks for everybody's alone."""
    return owner.is_(None) if asker is None else or_(owner.is_(None), owner == asker)


def take_turn(session: Session) -> None:
    """Wait until no other process scores; on SQLite the transaction of a writer is that already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})


def name_is(column: Column[str], names: Sequence[str]) -> ColumnElement[bool]:
    """Say that a name is one of several, in which `%` stands for anything: `price.%.1h`."""
    return or_(*(column.like(name) if "%" in name else column == name for name in names))
