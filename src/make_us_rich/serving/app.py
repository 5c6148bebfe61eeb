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
from make_us_rich.serving.routes.forecasts import forecast_router
from make_us_rich.serving.routes.health import health_router
from make_us_rich.serving.routes.market import market_router
from make_us_rich.serving.routes.models import model_router

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
    app.include_router(health_router(view, predictor))
    app.include_router(market_router(view))
    app.include_router(forecast_router(view, predictor))
    app.include_router(model_router(view, predictor.champions))
    add_docs(app)
    return app
