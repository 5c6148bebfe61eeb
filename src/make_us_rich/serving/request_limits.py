"""Requests that are too large or take too long end here."""

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from make_us_rich.serving.credentials import header_of
from make_us_rich.serving.needs import SAFE_METHODS
from make_us_rich.serving.problems import problem

MOST_BYTES = 64 * 1024
REQUEST_SECONDS = 30.0

_TOO_LARGE = f"a request has at most {MOST_BYTES} bytes; send less"


class RequestLimits:
    """ASGI middleware: bodies have an end, and so has the time until an answer begins."""

    def __init__(self, app: ASGIApp, seconds: float = REQUEST_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it says itself that it is too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] not in SAFE_METHODS:
            if _announced_bytes(scope) > MOST_BYTES:
                answer = problem(scope["path"], HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
                await answer(scope, receive, send)
                return
            receive = _limited(receive)
        await self._answer_in_time(scope, receive, send)

    async def _answer_in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._seconds) as limit:

                async def send_in_time(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        limit.reschedule(None)  # a stream may go on for as long as it likes
                    await send(message)

                await self._app(scope, receive, send_in_time)
        except TimeoutError:
            if not limit.expired():
                raise
            detail = f"no answer within {self._seconds:.0f} s; try again later"
            await problem(scope["path"], HTTPStatus.SERVICE_UNAVAILABLE, detail)(scope, receive, send)


def _announced_bytes(scope: Scope) -> int:
    text = header_of(scope, b"content-length") or "0"
    return int(text) if text.isdigit() else 0


def _limited(receive: Receive) -> Receive:
    received = 0

    async def receive_some() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
        return message

    return receive_some
