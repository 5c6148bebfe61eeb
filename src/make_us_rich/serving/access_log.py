"""One line for each request, where the settings ask for it; what lets people in is left out of it."""

import re
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from make_us_rich.serving.gate import address_of

_SECRETS = re.compile(r"(?i)(^|&)(token|code|invitation|password|key)=[^&]*")

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
                    path=scope["path"],
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
    return _SECRETS.sub(r"\1\2=…", query)
