"""Browsers that are logged in: a signed cookie for them, a row for us, and a word against forged requests."""

import hashlib
import hmac
from datetime import datetime, timedelta

from itsdangerous import BadSignature, Signer
from sqlalchemy import delete, select, update

from make_us_rich.accounts.codes import hash_code, new_code
from make_us_rich.accounts.principal import SCOPES, Principal
from make_us_rich.database.engine import Database
from make_us_rich.database.tables import LoginSession, User

LIFETIME = timedelta(days=30)


def start_session(database: Database, secret_key: bytes, user: User, now: datetime) -> str:
    """Log a browser in and return what its cookie holds."""
    code = new_code()
    with database.write() as session:
        session.execute(delete(LoginSession).where(LoginSession.expires_at < now))
        session.execute(update(User).where(User.id == user.id).values(last_login_at=now))
        session.add(
            LoginSession(id=hash_code(code), user_id=user.id, created_at=now, expires_at=now + LIFETIME)
        )
    return _signer(secret_key).sign(code).decode()


def end_session(database: Database, session_id: str) -> None:
    """Log a browser out, wherever its cookie may be."""
    with database.write() as session:
        session.execute(delete(LoginSession).where(LoginSession.id == session_id))


def find_session(database: Database, secret_key: bytes, cookie: str, now: datetime) -> Principal | None:
    """Return who is logged in with a cookie; None if it is forged, ended or expired."""
    try:
        session_id = hash_code(_signer(secret_key).unsign(cookie).decode())
    except (BadSignature, UnicodeDecodeError):
        return None
    wanted = (
        select(User)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(LoginSession.id == session_id, LoginSession.expires_at > now, User.disabled_at.is_(None))
    )
    with database.read() as session:
        user = session.scalars(wanted).one_or_none()
    if user is None:
        return None
    scopes = frozenset(SCOPES) if user.role == "admin" else frozenset({"read"})
    return Principal(
        user.id,
        user.name,
        user.role,  # type: ignore[arg-type]
        scopes,
        monthly_quota=user.monthly_quota,
        session_id=session_id,
    )


def forgery_word(secret_key: bytes, session_id: str) -> str:
    """Return the word a page of ours sends along when it changes something; other sites cannot know it."""
    return hmac.new(secret_key, b"forgery" + session_id.encode(), hashlib.sha256).hexdigest()


def _signer(secret_key: bytes) -> Signer:
    return Signer(secret_key, salt="session", digest_method=hashlib.sha256)
