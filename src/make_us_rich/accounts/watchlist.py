"""The pairs a user follows and the amounts they hold."""

import math
from datetime import datetime

from sqlalchemy import delete, func, select

from make_us_rich.database.engine import Database
from make_us_rich.database.tables import WatchlistEntry
from make_us_rich.database.upsert import put_row
from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.market.symbol import Symbol

MOST_ENTRIES = 50


def list_entries(database: Database, user_id: int) -> list[WatchlistEntry]:
    """Return a user's pairs, by name."""
    wanted = select(WatchlistEntry).where(WatchlistEntry.user_id == user_id).order_by(WatchlistEntry.symbol)
    with database.read() as session:
        return list(session.scalars(wanted))


def put_entry(database: Database, user_id: int, symbol: Symbol, amount: float, now: datetime) -> None:
    """Follow a pair, or change the amount of its base currency that is held; 0 only follows."""
    if not (math.isfinite(amount) and amount >= 0):
        raise UsageError(f"amount {amount} of {symbol} is not one; it is 0 or more")
    row = {"user_id": user_id, "symbol": str(symbol), "amount": amount, "created_at": now}
    with database.write() as session:
        put_row(session, WatchlistEntry, row, changed=["amount"])
        count = select(func.count()).where(WatchlistEntry.user_id == user_id)
        if (session.scalar(count) or 0) > MOST_ENTRIES:
            raise UsageError(f"a watchlist holds at most {MOST_ENTRIES} pairs; remove one first")


def remove_entry(database: Database, user_id: int, symbol: Symbol) -> None:
    """Follow a pair no longer."""
    gone = delete(WatchlistEntry).where(
        WatchlistEntry.user_id == user_id, WatchlistEntry.symbol == str(symbol)
    )
    with database.write() as session:
        if session.scalar(gone.returning(WatchlistEntry.symbol)) is None:
            raise UnknownNameError(f"{symbol} is not on the watchlist; GET /v1/watchlist shows what is")
