"""Requests that another site makes a browser send: refused wherever they would change something."""

import hmac
from urllib.parse import urlsplit

from starlette.types import Scope

from make_us_rich.accounts.principal import Principal
from make_us_rich.accounts.sessions import forgery_word
from make_us_rich.errors import NotAllowedError
from make_us_rich.serving.credentials import header_of

HEADER = b"x-csrf-token"


def require_own_site(scope: Scope) -> None:
    """Raise `NotAllowedError` for a request a browser says another site made; programs say nothing."""
    fetched_by = header_of(scope, b"sec-fetch-site")
    if fetched_by is not None:
        if fetched_by not in {"same-origin", "none"}:
            raise NotAllowedError("another site made this request; open the address itself")
        return
    origin = header_of(scope, b"origin")
    if origin is not None and urlsplit(origin).netloc != header_of(scope, b"host"):
        raise NotAllowedError("another site made this request; open the address itself")


def require_word(word: str | None, principal: Principal, secret_key: bytes) -> None:
    """Raise `NotAllowedError` unless the word is the one of the principal's login."""
    if principal.session_id is None:
        return
    expected = forgery_word(secret_key, principal.session_id)
    if word is None or not hmac.compare_digest(word.encode(), expected.encode()):
        raise NotAllowedError("a login in a browser changes things with X-CSRF-Token; GET /v1/me tells it")
