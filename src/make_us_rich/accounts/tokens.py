"""Keys for programs, `mur_<id>_<secret>`: shown once, stored hashed, limited in scope and time."""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.codes import hash_code, new_code
from make_us_rich.accounts.principal import SCOPES, Principal
from make_us_rich.accounts.users import find_user
from make_us_rich.database.engine import Database
from make_us_rich.database.tables import Token, User
from make_us_rich.errors import NotAllowedError, UnknownNameError, UsageError

_TEXT = re.compile(r"mur_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_ID = re.compile(r"[0-9a-f]{12}")
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The token somebody wants; without a lifetime it is valid until it is revoked."""

    name: str
    scopes: Sequence[str] = ("read",)
    lifetime: timedelta | None = None


@dataclass(frozen=True, slots=True)
class OwnedToken:
    """A stored token and the name of its owner."""

    token: Token
    owner: str


def create_token(
    database: Database, user_name: str, request: TokenRequest, now: datetime, deed: Deed | None = None
) -> tuple[Token, str]:
    """Return a new token and its text, which is shown this once and cannot be found out again."""
    scopes = _checked_scopes(request.scopes)
    token_id, secret = secrets.token_hex(6), new_code()
    with database.write() as session:
        user = find_user(session, user_name)
        if "admin" in scopes and user.role != "admin":
            raise NotAllowedError(f"user {user.name} is a member; only administrators have the scope admin")
        token = Token(
            id=token_id,
            user_id=user.id,
            name=_checked_name(request.name),
            secret_hash=hash_code(secret),
            scopes=" ".join(scopes),
            created_at=now,
            expires_at=None if request.lifetime is None else now + request.lifetime,
        )
        session.add(token)
        if deed is not None:
            deed.record(session, "create token", user.name, f"{token_id} {token.scopes}")
    return token, f"mur_{token_id}_{secret}"


def find_token(database: Database, text: str, now: datetime) -> Principal | None:
    """Return who a token speaks for; None if it is unknown, revoked or expired, or its user disabled."""
    parts = _TEXT.fullmatch(text)
    if parts is None:
        return None
    with database.read() as session:
        found = session.execute(
            select(Token, User).join(User, User.id == Token.user_id).where(Token.id == parts[1])
        ).one_or_none()
    if found is None or not hmac.compare_digest(found[0].secret_hash, hash_code(parts[2])):
        return None
    token, user = found
    if token.revoked_at is not None or user.disabled_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= now:
        return None
    return Principal(
        user.id, user.name, user.role, frozenset(token.scopes.split()),
        monthly_quota=user.monthly_quota, token_id=token.id,
    )  # fmt: skip


def note_use(database: Database, token_ids: Sequence[str], now: datetime) -> None:
    """Remember when tokens were last used, to the minute."""
    due = Token.last_used_at.is_(None) | (Token.last_used_at < now - _USE_IS_NOTED_EVERY)
    with database.write() as session:
        session.execute(update(Token).where(Token.id.in_(token_ids), due).values(last_used_at=now))


def list_tokens(database: Database, user_name: str | None = None) -> list[OwnedToken]:
    """Return the tokens of a user, or of everybody, oldest first."""
    wanted = (
        select(Token, User.name).join(User, User.id == Token.user_id).order_by(Token.created_at, Token.id)
    )
    with database.read() as session:
        if user_name is not None:
            wanted = wanted.where(Token.user_id == find_user(session, user_name).id)
        return [OwnedToken(token, owner) for token, owner in session.execute(wanted)]


def revoke_token(
    database: Database, token_id: str, now: datetime, owner_id: int | None = None, deed: Deed | None = None
) -> Token:
    """Make a token worthless, of one user if an owner is given; again is no mistake."""
    with database.write() as session:
        known = _ID.fullmatch(token_id)  # what is no identity is not asked for: a database may choke on it
        token = session.get(Token, token_id, with_for_update=True) if known else None
        if token is None or owner_id not in {None, token.user_id}:
            raise UnknownNameError(f"token {token_id[:16]!r} does not exist; list tokens to see which do")
        token.revoked_at = token.revoked_at or now
        if deed is not None:
            deed.record(session, "revoke token", token_id)
        return token


def _checked_scopes(scopes: Sequence[str]) -> list[str]:
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise UsageError(f"scopes {' '.join(scopes) or 'none'}: choose from {', '.join(SCOPES)}")
    return [scope for scope in SCOPES if scope in scopes]


def _checked_name(name: str) -> str:
    if not 1 <= len(name.strip()) <= 64 or not name.isprintable():
        raise UsageError("a token needs a name of 1 to 64 printable characters, so that it can be told apart")
    return name.strip()
