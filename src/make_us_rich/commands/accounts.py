"""`mur users` and `mur tokens`: accounts from the command line, for whoever may use this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from make_us_rich.commands.options import IgnoredMarketOption, JsonOption

if TYPE_CHECKING:
    from make_us_rich.accounts.audit import Deed
    from make_us_rich.database.engine import Database

users = typer.Typer(help="Who may use this desk.", no_args_is_help=True, rich_markup_mode=None)
tokens = typer.Typer(help="Keys for programs.", no_args_is_help=True, rich_markup_mode=None)

UserArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of a user.")]
RoleOption = Annotated[str, typer.Option(help="member or admin.")]
EnableOption = Annotated[bool, typer.Option("--enable", help="Let a disabled user in again.")]
TokenNameOption = Annotated[str, typer.Option("--name", help="What the token is for.")]
ScopeOption = Annotated[
    list[str] | None, typer.Option("--scope", help="read or admin, repeatable; default: read.")
]
DaysOption = Annotated[
    int | None, typer.Option("--days", min=1, max=3650, help="Days until it expires; default: never.")
]
OwnerArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Whose tokens; default: everybody's.")
]
TokenArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The part of a token after mur_, as `list` shows it.")
]


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as `mur users list` tells of one."""

    name: str
    role: str
    disabled: bool
    has_password: bool
    last_login: datetime | None


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token as `mur tokens list` tells of one."""

    id: str
    user: str
    name: str
    scopes: tuple[str, ...]
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None


@users.command("add")
def add(
    name: UserArgument,
    *,
    role: RoleOption = "member",
    market: IgnoredMarketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a user, and print the link that lets them in once to choose a password."""
    from make_us_rich.accounts.users import add_user, parse_role
    from make_us_rich.commands.answer import answer

    with _accounts() as (database, deed):
        record = _link_record(name, add_user(database, name, parse_role(role), deed))
    answer(record, _link_lines(record), as_json=as_json)


@users.command("list")
def list_all(*, market: IgnoredMarketOption = None, as_json: JsonOption = False) -> None:
    """List every user."""
    from make_us_rich.accounts.users import list_users
    from make_us_rich.commands.answer import answer

    with _accounts() as (database, _):
        listed = [
            ListedUser(
                name=user.name,
                role=user.role,
                disabled=user.disabled_at is not None,
                has_password=user.password_hash is not None,
                last_login=user.last_login_at,
            )
            for user in list_users(database)
        ]
    answer({"users": listed}, [_user_line(one) for one in listed] or ["no users"], as_json=as_json)


@users.command("disable")
def disable(
    name: UserArgument,
    *,
    enable: EnableOption = False,
    market: IgnoredMarketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a user out: their logins end, and their tokens are worthless until --enable."""
    from make_us_rich.accounts.users import UserChange, change_user
    from make_us_rich.commands.answer import answer

    with _accounts() as (database, deed):
        user = change_user(database, name, UserChange(is_disabled=not enable), deed)
    record = {"name": user.name, "disabled": user.disabled_at is not None}
    answer(record, [f"{user.name} is {'let in again' if enable else 'kept out'}"], as_json=as_json)


@users.command("reset")
def reset(name: UserArgument, *, market: IgnoredMarketOption = None, as_json: JsonOption = False) -> None:
    """Take away a user's password and logins, and print a link to choose a new one."""
    from make_us_rich.accounts.users import reset_user
    from make_us_rich.commands.answer import answer

    with _accounts() as (database, deed):
        record = _link_record(name, reset_user(database, name, deed))
    answer(record, _link_lines(record), as_json=as_json)


@tokens.command("create")
def create(
    user: UserArgument,
    *,
    name: TokenNameOption = "command line",
    scopes: ScopeOption = None,
    days: DaysOption = None,
    market: IgnoredMarketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token for a user, and print it this once."""
    from make_us_rich.accounts.tokens import TokenRequest, create_token
    from make_us_rich.commands.answer import answer

    lifetime = None if days is None else timedelta(days=days)
    with _accounts() as (database, deed):
        request = TokenRequest(name, scopes or ["read"], lifetime)
        token, text = create_token(database, user, request, deed.at, deed)
    record = {"id": token.id, "token": text, "scopes": token.scopes.split(), "expires": token.expires_at}
    answer(record, [text], as_json=as_json)


@tokens.command("list")
def list_some(
    user: OwnerArgument = None, *, market: IgnoredMarketOption = None, as_json: JsonOption = False
) -> None:
    """List tokens; what they were when they were made cannot be shown again."""
    from make_us_rich.accounts.tokens import list_tokens
    from make_us_rich.commands.answer import answer

    with _accounts() as (database, _):
        listed = [
            ListedToken(
                id=one.token.id,
                user=one.owner,
                name=one.token.name,
                scopes=tuple(one.token.scopes.split()),
                expires=one.token.expires_at,
                last_used=one.token.last_used_at,
                revoked=one.token.revoked_at,
            )
            for one in list_tokens(database, user)
        ]
    answer({"tokens": listed}, [_token_line(one) for one in listed] or ["no tokens"], as_json=as_json)


@tokens.command("revoke")
def revoke(
    token_id: TokenArgument, *, market: IgnoredMarketOption = None, as_json: JsonOption = False
) -> None:
    """Make a token worthless, on every server within a second."""
    from make_us_rich.accounts.tokens import revoke_token
    from make_us_rich.commands.answer import answer

    with _accounts() as (database, deed):
        token = revoke_token(database, token_id, deed.at, deed=deed)
    record = {"id": token.id, "revoked": token.revoked_at}
    answer(record, [f"token {token.id} is worthless now"], as_json=as_json)


@contextmanager
def _accounts() -> "Iterator[tuple[Database, Deed]]":
    from make_us_rich.accounts.audit import COMMAND_LINE, Deed
    from make_us_rich.commands.answer import begin, wall_now
    from make_us_rich.operations.home_database import opened_database

    with opened_database(begin()) as database:
        yield database, Deed(COMMAND_LINE, wall_now())


def _link_record(name: str, code: str) -> dict[str, str]:
    return {"name": name.strip().lower(), "login_path": f"/login?code={code}"}


def _link_lines(record: dict[str, str]) -> list[str]:
    return [
        f"Good once, within a day, for {record['name']}: {record['login_path']} on the address of the desk"
    ]


def _user_line(user: ListedUser) -> str:
    state = "disabled" if user.disabled else "" if user.has_password else "no password yet"
    return f"{user.name:20} {user.role:8} last login {_day(user.last_login)}  {state}".rstrip()


def _token_line(token: ListedToken) -> str:
    state = "revoked" if token.revoked else f"expires {_day(token.expires)}"
    may = f"{token.user:16} {','.join(token.scopes):10}"
    return f"{token.id}  {may} {state:20} used {_day(token.last_used)}  {token.name}"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "never"
