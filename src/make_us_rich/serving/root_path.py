"""The path under which a proxy offers the API."""

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPath:
    """ASGI middleware that tells the API where it stands, whether the proxy cuts the path off or not."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its root path."""
        if scope["type"] in {"http", "websocket"}:
            scope = {**scope, "root_path": self._root_path}
        await self._app(scope, receive, send)
