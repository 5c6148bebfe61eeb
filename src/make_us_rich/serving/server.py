"""Serve the API on one port, in one process."""

import errno
import ipaddress
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from make_us_rich.errors import MakeUsRichError, UsageError

SHUTDOWN_SECONDS = 5
_BACKLOG = 2048


class ApiServer:
    """The API on a port that is taken when the server is made; it runs until it is told to stop.

    Port 0 takes a free one, and `on_ready` gets the address once requests are answered.
    """

    def __init__(
        self,
        app: FastAPI,
        host: str = "127.0.0.1",
        port: int = 8000,
        on_ready: Callable[[str], None] | None = None,
    ) -> None:
        self._listener = listen(host, port)
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,  # by default any program of this machine would be believed to be a proxy
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        self._server = _Server(config, _address(self._listener), on_ready)

    def run(self) -> None:
        """Serve; on the main thread Ctrl-C ends it too, on another only `stop` does."""
        with self._listener:
            self._server.run(sockets=[self._listener])

    def stop(self) -> None:
        """Finish the requests under way and end `run`."""
        self._server.should_exit = True


def serve(
    app: FastAPI, host: str = "127.0.0.1", port: int = 8000, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until the process is told to stop; see `ApiServer`."""
    ApiServer(app, host, port, on_ready).run()


def exposure_warning(host: str, *, is_public: bool, is_behind_proxy: bool) -> str | None:
    """Return what to know about a host that others can reach; None for this machine alone."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if is_loopback:
        return None
    if is_public:
        return f"Warning: MUR_PUBLIC_READ lets everybody who reaches {host} read without a login."
    if is_behind_proxy:
        return None
    return (
        f"Warning: {host} may be reached by others without TLS, so passwords and tokens can be read on the "
        "way; put a proxy with TLS before it and name it in MUR_TRUSTED_PROXIES."
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or say in one line why there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _refusal(host, port, error) from error
    return listener


def _refusal(host: str, port: int, error: OSError | OverflowError) -> MakeUsRichError:
    if isinstance(error, OverflowError):
        return UsageError(f"port {port} is not one; choose 1 to 65535, or 0 for any free one")
    if error.errno == errno.EADDRINUSE:
        return MakeUsRichError(
            f"port {port} on {host} is in use; stop what uses it or choose another with --port"
        )
    return MakeUsRichError(f"port {port} on {host}: {error.strerror}; choose another with --port")


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, address: str, on_ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._address = address
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready(self._address)
