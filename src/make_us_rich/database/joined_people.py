"""People of several markets become people of one home; users of equal name are one person."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, MetaData, Row, Table, insert, select, update

from make_us_rich.database.base import Base
from make_us_rich.database.tables import (
    AuditRecord,
    Invitation,
    LoginFailure,
    LoginSession,
    OneTimeLink,
    Token,
    Usage,
    User,
    WatchlistEntry,
)


@dataclass(frozen=True, slots=True)
class JoinedPeople:
    """How many users and tokens came, and which of the users had a name that was there already."""

    users: int
    known_users: tuple[str, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class _Origin:
    # an attached database: the numbers its users have here, and since when some were disabled there
    connection: Connection
    schema: str
    ids: Mapping[int | None, int | None]
    kept_out: Mapping[int, datetime]


def join_people(connection: Connection, schema: str) -> JoinedPeople:
    """Add the people of an attached database to those who are here; what is here already wins.

    So whoever joins several begins with the one that was last in use. Of a user who is here already and was
    disabled there, nothing that lets in comes to life: tokens come revoked, logins and links stay away.
    """
    here = {row.name: row for row in connection.execute(select(_table(User)))}
    found = connection.execute(select(_table(User, schema)).order_by(_table(User, schema).c.id)).all()
    ids: dict[int | None, int | None] = {None: None}
    kept_out: dict[int, datetime] = {}
    for row in found:
        known = here.get(row.name)
        if known is None:
            ids[row.id] = _add_user(connection, row)
        else:
            _become_one(connection, known, row)
            ids[row.id] = known.id
            if row.disabled_at is not None:
                kept_out[row.id] = row.disabled_at
    origin = _Origin(connection, schema, ids, kept_out)
    tokens = _copy(origin, Token, ("user_id",))
    for table in (LoginSession, OneTimeLink, WatchlistEntry):
        _copy(origin, table, ("user_id",))
    _copy(origin, Invitation, ("created_by", "used_by"))
    _copy(origin, LoginFailure, ())
    _add_usage(connection, schema, ids)
    return JoinedPeople(len(found), tuple(row.name for row in found if row.name in here), tokens)


def keep_an_administrator(connection: Connection, schemas: Sequence[str]) -> None:
    """Where joining left nobody to administer, let the one of the oldest account who did so go on."""
    users = _table(User)
    able = select(users.c.id).where(users.c.role == "admin", users.c.disabled_at.is_(None))
    if connection.execute(able.limit(1)).first() is not None:
        return
    enabled = set(connection.scalars(select(users.c.name).where(users.c.disabled_at.is_(None))))
    admins = [row for schema in schemas for row in _administrators(connection, schema) if row.name in enabled]
    if admins:
        senior = min(admins, key=lambda row: (row.created_at, row.name))
        connection.execute(update(users).where(users.c.name == senior.name).values(role="admin"))


def _administrators(connection: Connection, schema: str) -> Sequence[Row[Any]]:
    users = _table(User, schema)
    able = select(users).where(users.c.role == "admin", users.c.disabled_at.is_(None))
    return connection.execute(able).all()


def join_audit(connection: Connection, schemas: Sequence[str]) -> None:
    """Add what administrators did in several databases by its time; each keeps its own order."""
    for _, row in heapq.merge(
        *(_dated_deeds(connection, schema) for schema in schemas), key=lambda one: one[0]
    ):
        connection.execute(insert(_table(AuditRecord)), _without_id(row))


def _dated_deeds(connection: Connection, schema: str) -> list[tuple[datetime, Row[Any]]]:
    # a clock that was set back dates a deed before the one it followed, and it follows that one still
    audit = _table(AuditRecord, schema)
    rows = connection.execute(select(audit).order_by(audit.c.id)).all()
    return list(zip(accumulate((row.at for row in rows), max), rows, strict=True))


def _add_user(connection: Connection, row: Row[Any]) -> int:
    added = connection.execute(insert(_table(User)), _without_id(row))
    return int(added.inserted_primary_key[0])  # type: ignore[index]


def _become_one(connection: Connection, known: Row[Any], other: Row[Any]) -> None:
    changes: dict[str, Any] = {"created_at": min(known.created_at, other.created_at)}
    if other.last_login_at is not None:
        changes["last_login_at"] = max(known.last_login_at or other.last_login_at, other.last_login_at)
    if known.password_hash is None and known.last_login_at is None and other.disabled_at is None:
        # nobody ever chose one there; one that was taken away by an administrator does not come back
        changes["password_hash"] = other.password_hash
    users = _table(User)
    connection.execute(update(users).where(users.c.id == known.id).values(changes))


def _copy(origin: _Origin, table: type[Base], references: Sequence[str]) -> int:
    copied = 0
    for row in origin.connection.execute(select(_table(table, origin.schema))).all():
        kept_out_at = origin.kept_out.get(row.user_id) if "user_id" in references else None
        if kept_out_at is not None and table in (LoginSession, OneTimeLink):
            continue
        values = _without_id(row) if table in (Invitation, OneTimeLink) else dict(row._mapping)
        values |= {name: origin.ids[values[name]] for name in references}
        if kept_out_at is not None and table is Token:
            values["revoked_at"] = row.revoked_at or kept_out_at
        statement = insert(_table(table)).prefix_with("OR IGNORE")
        copied += origin.connection.execute(statement, values).rowcount
    return copied


def _add_usage(connection: Connection, schema: str, ids: Mapping[int | None, int | None]) -> None:
    usage = _table(Usage)
    for row in connection.execute(select(_table(Usage, schema))).all():
        same = (usage.c.user_id == ids[row.user_id], usage.c.month == row.month)
        added = update(usage).where(*same).values(calls=usage.c.calls + row.calls)
        if connection.execute(added).rowcount == 0:
            values = {"user_id": ids[row.user_id], "month": row.month, "calls": row.calls}
            connection.execute(insert(usage), values)


def _table(mapped: type[Base], schema: str | None = None) -> Table:
    table = Base.metadata.tables[mapped.__tablename__]
    return table if schema is None else table.to_metadata(MetaData(), schema=schema)


def _without_id(row: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "id"}
