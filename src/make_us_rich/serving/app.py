"""The API as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from make_us_rich.forecasting.board import Board
from make_us_rich.journal.journal import Journal
from make_us_rich.serving.access import Access
from make_us_rich.serving.access_log import AccessLog
from make_us_rich.serving.docs import add_docs
from make_us_rich.serving.gate import Gate, Guard
from make_us_rich.serving.needs import RouteNeeds
from make_us_rich.serving.openapi import install_openapi
from make_us_rich.serving.problems import install_problems
from make_us_rich.serving.request_limits import RequestLimits
from make_us_rich.serving.root_path import RootPath
from make_us_rich.serving.routes.account import add_account_routes
from make_us_rich.serving.routes.admin import add_admin_routes
from make_us_rich.serving.routes.forecasts import add_forecast_routes
from make_us_rich.serving.routes.health import add_health_routes
from make_us_rich.serving.routes.journal import add_journal_routes
from make_us_rich.serving.routes.login import add_login_routes
from make_us_rich.serving.routes.market import add_market_routes
from make_us_rich.serving.routes.models import add_model_routes
from make_us_rich.serving.routes.original import add_original_routes
from make_us_rich.serving.routes.trends import add_trend_routes
from make_us_rich.serving.routes.watchlist import add_watchlist_routes
from make_us_rich.version import __version__

DESCRIPTION = (
    "Forecasts of the coming closes of cryptocurrencies, as honest intervals beside their yardsticks."
)


def create_app(board: Board, access: Access, journal: Journal) -> FastAPI:
    """Return the API over one market for those who have access to it.

    The board looks for new candles and models from the start of the server to its end.
    """
    guard = Guard(access)

    @asynccontextmanager
    async def serving(_: FastAPI) -> AsyncIterator[None]:
        board.start()
        try:
            yield
        finally:
            await run_in_threadpool(board.stop)
            await run_in_threadpool(guard.close)

    app = FastAPI(
        title="Make Us Rich",
        description=DESCRIPTION,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=serving,
    )
    install_problems(app)
    install_openapi(app, is_public=access.public_read)
    add_forecast_routes(app, board)  # first, because routes are tried in order and these are busiest
    add_health_routes(app, board)
    add_market_routes(app, board.view)
    add_model_routes(app, board)
    add_original_routes(app, board)
    add_trend_routes(app, board)
    add_journal_routes(app, board, journal)
    add_login_routes(app, guard)
    add_account_routes(app, guard)
    add_admin_routes(app, guard)
    add_watchlist_routes(app, board, guard)
    add_docs(app)
    guard.needs = RouteNeeds(app.routes)
    _add_middleware(app, guard)
    return app


def _add_middleware(app: FastAPI, guard: Guard) -> None:
    # the last one added is the first a request meets
    app.add_middleware(RequestLimits)
    app.add_middleware(Gate, guard=guard)
    if guard.access.access_log:
        app.add_middleware(AccessLog)
    if guard.access.root_path:
        app.add_middleware(RootPath, root_path=guard.access.root_path)
    if guard.access.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=guard.access.trusted_proxies)
