"""One line for each request, where the settings ask for it; what lets people in is left out of it."""

import re
import time
from urllib.parse import parse_qsl, quote, unquote, urlencode

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from make_us_rich.serving.gate import address_of

_SECRET_NAMES = frozenset({"token", "code", "invitation", "password", "key"})
_TOKEN = re.compile(r"(?i)mur_[0-9a-f]+_[\w-]+")
_LEFT_OUT = "…"
_DECODED_TIMES = 3

_log = structlog.get_logger(__name__)


class AccessLog:
    """ASGI middleware that logs method, address, status and time of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it once its answer has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def send_logged(message: Message) -> None:
            if message["type"] == "http.response.start":
                _log.info(
                    "request",
                    method=scope["method"],
                    path=_without_tokens(scope["path"]),
                    query=without_secrets(scope["query_string"].decode("latin-1")),
                    status=message["status"],
                    milliseconds=round((time.perf_counter() - started) * 1000, 1),
                    client=address_of(scope),
                )
            await send(message)

        await self._app(scope, receive, send_logged)


def without_secrets(query: str) -> str:
    """Return a query with what lets people in left out.

    >>> without_secrets("currency=btc&token=mur_1_x&compare=usdt")
    'currency=btc&token=…&compare=usdt'
    """
    # decoded first, as whoever reads the request does, or %74oken would be another name than token
    pairs = [
        (
            _without_tokens(name),
            _LEFT_OUT if name.lower() in _SECRET_NAMES else _without_tokens(value),
        )
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return urlencode(pairs, safe="/:,").replace(quote(_LEFT_OUT), _LEFT_OUT)


def _without_tokens(text: str) -> str:
    decoded = text
    for _ in range(_DECODED_TIMES):  # a token that was encoded twice is none here, but still one to a reader
        decoded = unquote(decoded)
    redacted = _TOKEN.sub(f"mur_{_LEFT_OUT}", decoded)
    return text if redacted == decoded else redacted
