"""The databases of the markets of a home become one, once, and all of it or nothing.

A file that was joined is named `desk.db.joined` and stays. What was joined stands in `joined_homes`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from make_us_rich.database.engine import Database
from make_us_rich.database.joined_journal import has_journal, join_journal
from make_us_rich.database.joined_people import join_audit, join_people, keep_an_administrator
from make_us_rich.database.old_homes import OldHome, last_started, prepare
from make_us_rich.database.schema import create_tables
from make_us_rich.database.tables import JoinedHome
from make_us_rich.settings import Market

BeforeItCounts = Callable[[Sequence[Market]], None]
"""Told of the joined markets, the one last in use first, before anything of it can be seen."""


def join_homes(
    database: Database, homes: Sequence[OldHome], now: datetime, before_it_counts: BeforeItCounts
) -> list[Market]:
    """Join old databases into that of their home, which is made if it is absent; return their markets.

    The one last in use comes first, so that its roles and passwords win. A market is joined once: another
    file that appears later in the place of one that was joined is left alone, as is one of a live market
    that has gone on here.
    """
    started = {home.market: last_started(home) for home in homes}
    for home in homes:
        prepare(home)
    with database.write_beside({home.market: home.path for home in homes}) as connection:
        create_tables(connection)
        new = [home for home in homes if _is_new(connection, home)]
        new.sort(key=lambda home: started[home.market], reverse=True)
        for home in new:
            _join(connection, home, started[home.market], now)
        keep_an_administrator(connection, [home.market for home in new])
        join_audit(connection, [home.market for home in new])
        before_it_counts([home.market for home in new])
    for home in homes:
        _put_away(database, home)
    return [home.market for home in new]


def list_joined(database: Database) -> list[JoinedHome]:
    """Return what was joined, oldest first."""
    with database.read() as session:
        return list(session.scalars(select(JoinedHome).order_by(JoinedHome.id)))


def _is_new(connection: Connection, home: OldHome) -> bool:
    joined = connection.scalar(select(JoinedHome.id).where(JoinedHome.market == home.market))
    if joined is not None:
        return False
    return home.market != "live" or not has_journal(connection, "live", 1)


def _join(connection: Connection, home: OldHome, started_at: datetime, now: datetime) -> None:
    people = join_people(connection, home.market)
    said = join_journal(connection, home.market, home.market, started_at)
    row = {
        "market": home.market,
        "file": f"{home.market}/{home.path.name}",
        "fingerprint": home.fingerprint,
        "joined_at": now,
        "users": people.users,
        "known_users": " ".join(people.known_users),
        "tokens": people.tokens,
        "forecasts": said,
    }
    connection.execute(insert(JoinedHome), row)


def _put_away(database: Database, home: OldHome) -> None:
    # also the file of a run that was killed between the end of its transaction and this line
    known = {one.market: one.fingerprint for one in list_joined(database)}
    if known.get(home.market) == home.fingerprint:
        home.put_away()
