"""The users: added, changed, disabled; at least one administrator remains."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.codes import hash_code, new_code
from make_us_rich.accounts.principal import ROLES, Role
from make_us_rich.database.engine import Database
from make_us_rich.database.tables import LoginSession, OneTimeLink, User
from make_us_rich.errors import UnknownNameError, UsageError

FIRST_ADMIN = "admin"
LINK_LIFETIME = timedelta(days=1)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class UserChange:
    """What to change of a user; None leaves it as it is."""

    role: Role | None = None
    is_disabled: bool | None = None
    monthly_quota: int | None = None

    def __str__(self) -> str:
        parts = {"role": self.role, "disabled": self.is_disabled, "quota": self.monthly_quota}
        return ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)


def parse_role(text: str) -> Role:
    """Read the name of a role."""
    for role in ROLES:
        if text == role:
            return role
    raise UsageError(f"role {text!r} is not known; choose one of {', '.join(ROLES)}")


def parse_user_name(text: str) -> str:
    """Return a name as it is stored, in small letters.

    >>> parse_user_name("Ada.L")
    'ada.l'
    """
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"user name {text[:64]!r} is not one; use at most 63 letters, digits, dots and dashes"
        )
    return name


def add_user(database: Database, name: str, role: Role, deed: Deed) -> str:
    """Add a user without a password and return the one-time code that lets them in."""
    try:
        with database.write() as session:
            user = insert_user(session, name, role, deed.at)
            deed.record(session, "add user", user.name, role)
            return add_link(session, user, deed.at)
    except IntegrityError as error:
        raise name_taken(name) from error


def insert_user(session: Session, name: str, role: Role, now: datetime) -> User:
    """Add a row; a name that is taken raises `IntegrityError`."""
    user = User(name=parse_user_name(name), role=role, created_at=now)
    session.add(user)
    session.flush()
    return user


def name_taken(name: str) -> UsageError:
    """Return the refusal of a name somebody else has."""
    return UsageError(f"user {name.strip().lower()} exists already; choose another name")


def list_users(database: Database) -> list[User]:
    """Return every user, by name."""
    with database.read() as session:
        return list(session.scalars(select(User).order_by(User.name)))


def change_user(database: Database, name: str, change: UserChange, deed: Deed) -> User:
    """Change a user; the last administrator can be neither disabled nor made a member."""
    with database.write() as session:
        user = find_user(session, name)
        if change.role is not None:
            user.role = change.role
        if change.monthly_quota is not None:
            user.monthly_quota = change.monthly_quota
        if change.is_disabled is not None:
            user.disabled_at = deed.at if change.is_disabled else None
            session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
        session.flush()
        _require_an_admin(session)
        deed.record(session, "change user", user.name, str(change))
        return user


def reset_user(database: Database, name: str, deed: Deed) -> str:
    """Take away a user's password and logins, and return a one-time code to set a new password."""
    with database.write() as session:
        user = find_user(session, name)
        user.password_hash = None
        session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
        session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
        deed.record(session, "reset user", user.name)
        return add_link(session, user, deed.at)


def ensure_admin(database: Database, deed: Deed) -> str | None:
    """Return a one-time code for the first administrator, who is made if need be; None once one came in."""
    with database.write() as session:
        admins = select(User).where(User.role == "admin", User.disabled_at.is_(None)).order_by(User.id)
        found = session.scalars(admins.with_for_update()).all()
        if any(user.password_hash for user in found):
            return None
        if found:
            return add_link(session, found[0], deed.at)
    try:
        return add_user(database, FIRST_ADMIN, "admin", deed)
    except UsageError:  # another process was faster, and says so itself
        return None


def find_user(session: Session, name: str) -> User:
    """Return the user of a name."""
    user = session.scalars(select(User).where(User.name == parse_user_name(name))).one_or_none()
    if user is None:
        raise UnknownNameError(f"user {name.strip().lower()} does not exist; `mur users list` shows who does")
    return user


def add_link(session: Session, user: User, now: datetime) -> str:
    """Return a code that lets a user in once, within a day, to set a password."""
    code = new_code()
    session.add(
        OneTimeLink(
            code_hash=hash_code(code), user_id=user.id, created_at=now, expires_at=now + LINK_LIFETIME
        )
    )
    return code


def _require_an_admin(session: Session) -> None:
    able = select(func.count()).select_from(User).where(User.role == "admin", User.disabled_at.is_(None))
    if not session.scalar(able):
        raise UsageError("this would leave no administrator; make somebody else one first")
