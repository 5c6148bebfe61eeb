"""What a request brings along to say who asks, read from the bare headers, as every request pays."""

from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import parse_qs

from starlette.types import Scope

COOKIE = "mur_session"

_COOKIE_START = COOKIE.encode() + b"="


class Kind(Enum):
    """How somebody says who they are."""

    TOKEN = auto()
    COOKIE = auto()


@dataclass(frozen=True, slots=True)
class Credential:
    """A token or the content of a cookie, not looked at yet."""

    kind: Kind
    text: str


def read_credential(scope: Scope) -> Credential | None:
    """Return what the headers hold; a token comes before a cookie."""
    cookie = None
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return Credential(Kind.TOKEN, value[7:].strip().decode("latin-1"))
        if name == b"cookie" and _COOKIE_START in value:
            cookie = _read_cookie(value)
    return Credential(Kind.COOKIE, cookie) if cookie else None


def read_query_token(scope: Scope) -> Credential | None:
    """Return the token in the address, as only the original routes take it."""
    texts = parse_qs(scope["query_string"].decode("latin-1")).get("token")
    return Credential(Kind.TOKEN, texts[0]) if texts else None


def header_of(scope: Scope, wanted: bytes) -> str | None:
    """Return one header of a request."""
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1"))
    return None


def _read_cookie(header: bytes) -> str | None:
    for part in header.split(b";"):
        if part.strip().startswith(_COOKIE_START):
            return part.strip().removeprefix(_COOKIE_START).decode("latin-1")
    return None
