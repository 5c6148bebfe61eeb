"""Does it run, and can it serve."""

from fastapi import FastAPI

from make_us_rich.errors import ForecastUnavailableError
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.price.kind import PRICE
from make_us_rich.serving.freshness import freshness_of, is_too_old
from make_us_rich.serving.needs import OPEN, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.schemas import HealthAnswer, ReadyAnswer


def add_health_routes(app: FastAPI, board: Board) -> None:
    """Add the routes orchestrators ask."""

    @app.get("/healthz", tags=["health"])
    @needs(OPEN)
    async def read_health() -> HealthAnswer:
        """Say that the process runs."""
        return HealthAnswer()

    @app.get("/readyz", tags=["health"], responses=problem_responses(503))
    @needs(OPEN)
    async def read_readiness() -> ReadyAnswer:
        """Say that at least one forecast can be served."""
        now = board.view.clock.now()
        served = board.all_served().items()
        answerable = [
            name for name, one in served if not is_too_old(freshness_of(one.forecast, now), board.view)
        ]
        if not answerable:
            raise ForecastUnavailableError(
                "no forecast can be served yet; give it candles with `mur fetch`, see /v1/forecasts"
            )
        return ReadyAnswer(forecasts=sum(name.kind == PRICE for name in answerable))
