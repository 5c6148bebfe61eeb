"""The histories of a market: live has one for good, and a replay that begins anew begins another.

Rows of one history are never seen in another. One of a replay or a simulation may be dropped: it is marked
first, and only then do the triggers of the journal let its rows go.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.orm import Session

from make_us_rich.database.engine import Database
from make_us_rich.database.journal_tables import (
    candle_notes,
    drift_verdicts,
    forecasts,
    histories,
    outcomes,
    pending_forecasts,
    weekly_scores,
)
from make_us_rich.settings import Market

KEPT_FOR = timedelta(days=30)
_LOCK_NUMBER = 0x68697374  # "hist", for PostgreSQL's locks that have numbers for names


@dataclass(frozen=True, slots=True)
class History:
    """One history; it began at `began_at` in the time of the market, and was started at `started_at`."""

    market: Market
    number: int
    began_at: datetime
    started_at: datetime
    dropped_at: datetime | None = None


def open_history(database: Database, market: Market, began_at: datetime, now: datetime) -> History:
    """Return the history in use, the newest that was not dropped; where there is none, one begins."""
    found = _newest(list_histories(database, market))
    if found is not None:
        return found
    with database.write() as session:
        _take_turn(session)
        return _newest(_read(session, market)) or _begin(session, market, began_at, now)


def begin_history(database: Database, market: Market, began_at: datetime, now: datetime) -> History:
    """Begin another history and return it; nothing of the earlier ones is in it. Live has only one."""
    if market == "live":
        raise ValueError("the live market has one history, which goes on")
    with database.write() as session:
        _take_turn(session)
        return _begin(session, market, began_at, now)


def list_histories(database: Database, market: Market) -> list[History]:
    """Return the histories of a market, oldest first, those that were dropped among them."""
    with database.read() as session:
        return _read(session, market)


def knows_later(database: Database, history: History, moment: datetime) -> bool:
    """Say whether a history holds a forecast that was made from candles after a moment."""
    said = forecasts.c
    query = select(said.id).where(
        said.market == history.market, said.history == history.number, said.cutoff > moment
    )
    with database.read() as session:
        return session.execute(query.limit(1)).first() is not None


def old_histories(database: Database, market: Market, started_before: datetime) -> list[History]:
    """Return what may be dropped, of a replay or a simulation: started before a moment, and not in use."""
    known = list_histories(database, market)
    newest = _newest(known)
    return [
        one
        for one in known
        if one.market != "live"
        and one != newest
        and one.dropped_at is None
        and one.started_at < started_before
    ]


def drop_old(
    database: Database, market: Market, now: datetime, *, dry_run: bool
) -> list[tuple[History, int]]:
    """Drop the histories of a market that were started over 30 days ago, or only say which they are.

    Returned is each with the number of its forecasts.
    """
    old = [(one, count_forecasts(database, one)) for one in old_histories(database, market, now - KEPT_FOR)]
    if not dry_run:
        drop_histories(database, [one for one, _ in old], now)
    return old


def count_forecasts(database: Database, history: History) -> int:
    """Return how many forecasts a history holds."""
    said = forecasts.c
    query = select(func.count()).where(said.market == history.market, said.history == history.number)
    with database.read() as session:
        return session.scalar(query) or 0


def drop_histories(database: Database, dropped: Collection[History], now: datetime) -> list[History]:
    """Delete what stands in some histories, for good, and return them as they are now.

    The history in use and those of the live market are refused; a number is never given twice.
    """
    for one in dropped:
        if one.market == "live":
            raise ValueError("what was forecast live stays")
        if one == _newest(list_histories(database, one.market)):
            raise ValueError(f"history {one.number} of the {one.market} market is in use")
    with database.write() as session:
        _take_turn(session)
        for one in dropped:
            _drop(session, one, now)
    return [replace(one, dropped_at=now) for one in dropped]


def _newest(known: Collection[History]) -> History | None:
    return max((one for one in known if one.dropped_at is None), key=lambda one: one.number, default=None)


def _read(session: Session, market: Market) -> list[History]:
    query = select(histories).where(histories.c.market == market).order_by(histories.c.number)
    return [_history(row) for row in session.execute(query)]


def _history(row: Row[tuple[object, ...]]) -> History:
    return History(**{name: getattr(row, name) for name in History.__slots__})


def _begin(session: Session, market: Market, began_at: datetime, now: datetime) -> History:
    last = session.scalar(select(func.max(histories.c.number)).where(histories.c.market == market)) or 0
    new = History(market, last + 1, began_at, now)
    row = {name: getattr(new, name) for name in History.__slots__}
    session.execute(histories.insert(), row)
    return new


def _drop(session: Session, dropped: History, now: datetime) -> None:
    of_it = (histories.c.market == dropped.market, histories.c.number == dropped.number)
    session.execute(update(histories).where(*of_it, histories.c.dropped_at.is_(None)).values(dropped_at=now))
    said = forecasts.c
    its_forecasts = select(said.id).where(said.market == dropped.market, said.history == dropped.number)
    for child in (outcomes, pending_forecasts):
        session.execute(delete(child).where(child.c.forecast_id.in_(its_forecasts)))
    for table in (forecasts, weekly_scores, candle_notes, drift_verdicts):
        session.execute(
            delete(table).where(table.c.market == dropped.market, table.c.history == dropped.number)
        )


def _take_turn(session: Session) -> None:
    # on SQLite the transaction of a writer is that already
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
