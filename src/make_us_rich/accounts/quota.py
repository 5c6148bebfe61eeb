"""Calls per month: one row per user and month, and nobody gets a call the row has no place for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from make_us_rich.database.engine import Database
from make_us_rich.database.tables import Usage, User
from make_us_rich.database.upsert import insert_missing

_TAKE_ALL = text(
    "UPDATE usage SET calls = calls + :calls "
    "WHERE user_id = :user AND month = :month AND calls + :calls <= :quota RETURNING calls"
)
_RETURN = text("UPDATE usage SET calls = calls - :calls WHERE user_id = :user AND month = :month")


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many calls, of a user who has `quota` a month."""

    user_id: int
    quota: int
    calls: int


@dataclass(frozen=True, slots=True)
class Granted:
    """How many of the wanted calls may be made, and how many are left then."""

    calls: int
    left: int


def take_calls(database: Database, wanted: Sequence[Wanted], now: datetime) -> Mapping[int, Granted]:
    """Take calls from the quotas of several users at once; each gets what is left, if that is less."""
    month = month_of(now)
    with database.write() as session:
        # in one order, so that two processes never hold a row the other one waits for
        return {one.user_id: _take(session, one, month) for one in sorted(wanted, key=lambda w: w.user_id)}


def calls_made(database: Database, user_id: int, now: datetime) -> int:
    """Return the calls of a user this month."""
    with database.read() as session:
        row = session.get(Usage, (user_id, month_of(now)))
    return row.calls if row else 0


def list_usage(database: Database, month: str) -> list[tuple[str, int]]:
    """Return the calls of every user in a month, by name."""
    wanted = (
        select(User.name, Usage.calls)
        .join(Usage, Usage.user_id == User.id)
        .where(Usage.month == month)
        .order_by(User.name)
    )
    with database.read() as session:
        return [(name, calls) for name, calls in session.execute(wanted)]


def month_of(now: datetime) -> str:
    """Return the UTC month quotas are counted by.

    >>> month_of(datetime(2024, 2, 29, tzinfo=UTC))
    '2024-02'
    """
    return f"{now.astimezone(UTC):%Y-%m}"


def seconds_to_next_month(now: datetime) -> int:
    """Return when quotas begin anew, rounded up.

    >>> seconds_to_next_month(datetime(2024, 12, 31, 23, 59, 30, tzinfo=UTC))
    30
    """
    moment = now.astimezone(UTC)
    first = datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC)
    return -int((moment - first).total_seconds() // 1)


def return_calls(database: Database, user_id: int, month: str, calls: int) -> None:
    """Put calls back that were taken and not made."""
    key = {"user": user_id, "month": month, "calls": calls}
    with database.write() as session:
        session.execute(_RETURN, key)


def _take(session: Session, wanted: Wanted, month: str) -> Granted:
    # nearly always everything fits, and one statement says so; through the mapped class it would be four
    key = {"user": wanted.user_id, "month": month, "calls": wanted.calls, "quota": wanted.quota}
    made = session.scalar(_TAKE_ALL, key)
    return _take_some(session, wanted, month) if made is None else Granted(wanted.calls, wanted.quota - made)


def _take_some(session: Session, wanted: Wanted, month: str) -> Granted:
    insert_missing(session, Usage, [{"user_id": wanted.user_id, "month": month, "calls": 0}])
    row = session.get_one(Usage, (wanted.user_id, month), with_for_update=True)
    calls = max(0, min(wanted.calls, wanted.quota - row.calls))
    row.calls += calls
    return Granted(calls, max(0, wanted.quota - row.calls))
