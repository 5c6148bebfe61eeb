"""Logging in: by password or one-time code, slower with each failure, alike for names that do not exist."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from make_us_rich.accounts.codes import hash_code
from make_us_rich.accounts.passwords import check_new_password, hash_password, is_password
from make_us_rich.accounts.users import parse_user_name
from make_us_rich.database.engine import Database
from make_us_rich.database.tables import LoginFailure, OneTimeLink, User
from make_us_rich.database.upsert import insert_missing
from make_us_rich.errors import NotLoggedInError, TooManyCallsError, UsageError

FIRST_LOCK = timedelta(seconds=15)
LONGEST_LOCK = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(days=1)

TRIES_PER_NAME_AND_ADDRESS = 5
TRIES_PER_ADDRESS = 30
TRIES_PER_NAME = 100  # so many that one address cannot lock out whoever has the name

WRONG = "name and password do not belong together"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries a name and a password, from a network address."""

    name: str
    password: str
    address: str

    def allowances(self) -> dict[str, int]:
        """Return the free tries of everything that is counted, by its key."""
        name = self.name.strip().lower()
        return {
            _key("name and address", name, self.address): TRIES_PER_NAME_AND_ADDRESS,
            _key("address", self.address): TRIES_PER_ADDRESS,
            _key("name", name): TRIES_PER_NAME,
        }


def log_in(database: Database, attempt: Attempt, now: datetime) -> User:
    """Return the user whose password it is; `NotLoggedInError` does not say what was wrong."""
    _count_attempt(database, attempt, now)
    user = _find_user(database, attempt.name)
    is_right = is_password(attempt.password, user.password_hash if user else None)
    if user is None or not is_right or user.disabled_at is not None:
        raise NotLoggedInError(f"{WRONG}; try again, or ask an administrator for a link")
    with database.write() as session:
        session.execute(delete(LoginFailure).where(LoginFailure.key.in_(list(attempt.allowances()))))
    return user


def find_link(database: Database, code: str, now: datetime) -> User:
    """Return the user a one-time code belongs to, without using it up."""
    with database.read() as session:
        return _open_link(session, code, now)[1]


def redeem_link(database: Database, code: str, new_password: str, now: datetime) -> User:
    """Use up a one-time code, set the password of its user and return them."""
    name = find_link(database, code, now).name
    check_new_password(new_password, name)
    password_hash = hash_password(new_password)
    with database.write() as session:
        link, user = _open_link(session, code, now)
        link.used_at = now
        user.password_hash = password_hash
        session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id, OneTimeLink.id != link.id))
        return user


def lock_duration(failures: int, allowance: int) -> timedelta | None:
    """Return for how long the next try is refused: not at all at first, then twice as long each time.

    >>> [str(lock_duration(n, 5)) for n in (4, 5, 6, 7, 30)]
    ['None', '0:00:15', '0:00:30', '0:01:00', '1:00:00']
    """
    if failures < allowance:
        return None
    doublings = min(failures - allowance, 20)  # more would overflow
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def _find_user(database: Database, name: str) -> User | None:
    try:
        wanted = parse_user_name(name)
    except UsageError:
        return None
    with database.read() as session:
        return session.scalars(select(User).where(User.name == wanted)).one_or_none()


def _count_attempt(database: Database, attempt: Attempt, now: datetime) -> None:
    # Counted before the password is looked at, so that tries at the same time are not free; a right one is
    # forgiven afterwards.
    allowances = attempt.allowances()
    with database.write() as session:
        session.execute(delete(LoginFailure).where(LoginFailure.last_at < now - FORGOTTEN_AFTER))
        insert_missing(
            session, LoginFailure, [{"key": key, "count": 0, "last_at": now} for key in allowances]
        )
        counted = (
            select(LoginFailure).where(LoginFailure.key.in_(list(allowances))).order_by(LoginFailure.key)
        )
        known = {row.key: row for row in session.scalars(counted.with_for_update())}
        _require_unlocked(list(known.values()), now)
        for key, allowance in allowances.items():
            row = known[key]
            row.count += 1
            row.last_at = now
            lock = lock_duration(row.count, allowance)
            row.locked_until = None if lock is None else now + lock


def _require_unlocked(failures: list[LoginFailure], now: datetime) -> None:
    locked = [row.locked_until for row in failures if row.locked_until and row.locked_until > now]
    if locked:
        seconds = int((max(locked) - now).total_seconds()) + 1
        raise TooManyCallsError(f"too many failed logins; try again in {seconds} seconds", seconds)


def _open_link(session: Session, code: str, now: datetime) -> tuple[OneTimeLink, User]:
    wanted = (
        select(OneTimeLink, User)
        .join(User, User.id == OneTimeLink.user_id)
        .where(
            OneTimeLink.code_hash == hash_code(code),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
            User.disabled_at.is_(None),
        )
    )
    found = session.execute(wanted.with_for_update()).one_or_none()
    if found is None:
        raise NotLoggedInError("the link is unknown, used or too old; `mur users reset NAME` makes another")
    return found[0], found[1]


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
