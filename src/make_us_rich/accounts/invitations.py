"""Signing up: by invitation unless the settings say otherwise."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.codes import hash_code, new_code
from make_us_rich.accounts.passwords import check_new_password, hash_password
from make_us_rich.accounts.principal import Role
from make_us_rich.accounts.users import insert_user, name_taken, parse_user_name
from make_us_rich.database.engine import Database
from make_us_rich.database.tables import Invitation, User
from make_us_rich.errors import NotAllowedError, UnknownNameError
from make_us_rich.settings import SignUp

INVITATION_LIFETIME = timedelta(days=7)


def invite(database: Database, role: Role, user_id: int | None, deed: Deed) -> tuple[Invitation, str]:
    """Add an invitation and return it with its code, which is shown this once."""
    code = new_code()
    invitation = Invitation(
        code_hash=hash_code(code),
        role=role,
        created_by=user_id,
        created_at=deed.at,
        expires_at=deed.at + INVITATION_LIFETIME,
    )
    with database.write() as session:
        session.add(invitation)
        session.flush()
        deed.record(session, "invite", str(invitation.id), role)
    return invitation, code


def list_invitations(database: Database) -> list[Invitation]:
    """Return every invitation, newest first."""
    with database.read() as session:
        return list(session.scalars(select(Invitation).order_by(Invitation.id.desc())))


def withdraw(database: Database, invitation_id: int, deed: Deed) -> None:
    """Remove an invitation nobody has used."""
    unused = delete(Invitation).where(Invitation.id == invitation_id, Invitation.used_at.is_(None))
    with database.write() as session:
        if session.scalar(unused.returning(Invitation.id)) is None:
            raise UnknownNameError(f"invitation {invitation_id} does not exist or was used; list them first")
        deed.record(session, "withdraw invitation", str(invitation_id))


def sign_up(
    database: Database, mode: SignUp, credentials: tuple[str, str], code: str | None, now: datetime
) -> User:
    """Make an account from a name and a password, by invitation or, where that is so, without."""
    name, password = parse_user_name(credentials[0]), credentials[1]
    if mode == "closed" or (mode == "invitation" and not code):
        raise NotAllowedError("an account is made by an administrator here; ask one for an invitation")
    check_new_password(password, name)
    password_hash = hash_password(password)
    try:
        with database.write() as session:
            invitation = _open_invitation(session, code, now) if code else None
            user = insert_user(session, name, invitation.role if invitation else "member", now)  # type: ignore[arg-type]
            user.password_hash = password_hash
            if invitation:
                invitation.used_at, invitation.used_by = now, user.id
            return user
    except IntegrityError as error:
        raise name_taken(name) from error


def _open_invitation(session: Session, code: str, now: datetime) -> Invitation:
    wanted = select(Invitation).where(
        Invitation.code_hash == hash_code(code), Invitation.used_at.is_(None), Invitation.expires_at > now
    )
    invitation = session.scalars(wanted.with_for_update()).one_or_none()
    if invitation is None:
        raise NotAllowedError("the invitation is unknown, used or too old; ask for another")
    return invitation
