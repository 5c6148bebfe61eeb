"""Does it run, and can it serve."""

from fastapi import FastAPI

from make_us_rich.errors import ForecastUnavailableError
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.serving.freshness import freshness_of, is_too_old
from make_us_rich.serving.predictor import Predictor
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.schemas import HealthAnswer, ReadyAnswer


def add_health_routes(app: FastAPI, view: DeskView, predictor: Predictor) -> None:
    """Add the routes orchestrators ask."""

    @app.get("/healthz", tags=["health"])
    async def read_health() -> HealthAnswer:
        """Say that the process runs."""
        return HealthAnswer()

    @app.get("/readyz", tags=["health"], responses=problem_responses(503))
    async def read_readiness() -> ReadyAnswer:
        """Say that at least one forecast can be served."""
        now = view.clock.now()
        served = [one.forecast for one in predictor.all_served().values()]
        answerable = [one for one in served if not is_too_old(freshness_of(one, now), view)]
        if not answerable:
            raise ForecastUnavailableError(
                "no forecast can be served yet; give it candles with `mur fetch`, see /v1/forecasts"
            )
        return ReadyAnswer(forecasts=len(answerable))
