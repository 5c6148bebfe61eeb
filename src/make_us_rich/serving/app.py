"""The API as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from make_us_rich import __version__
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.serving.docs import add_docs
from make_us_rich.serving.predictor import Predictor
from make_us_rich.serving.problems import install_problems
from make_us_rich.serving.routes.forecasts import add_forecast_routes
from make_us_rich.serving.routes.health import add_health_routes
from make_us_rich.serving.routes.market import add_market_routes
from make_us_rich.serving.routes.models import add_model_routes
from make_us_rich.serving.routes.original import add_original_routes

DESCRIPTION = (
    "Forecasts of the coming closes of cryptocurrencies, as honest intervals beside their yardsticks."
)


def create_app(view: DeskView) -> FastAPI:
    """Return the API over one market; its predictor works from the start of the server to its end."""
    predictor = Predictor(view)

    @asynccontextmanager
    async def predicting(_: FastAPI) -> AsyncIterator[None]:
        predictor.start()
        try:
            yield
        finally:
            await run_in_threadpool(predictor.stop)

    app = FastAPI(
        title="Make Us Rich",
        description=DESCRIPTION,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=predicting,
    )
    install_problems(app)
    add_forecast_routes(
        app, view, predictor
    )  # first, because routes are tried in order and these are busiest
    add_health_routes(app, view, predictor)
    add_market_routes(app, view)
    add_model_routes(app, view, predictor.champions)
    add_original_routes(app, view, predictor)
    add_docs(app)
    return app
