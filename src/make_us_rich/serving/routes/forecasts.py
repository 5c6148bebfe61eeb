"""The forecasts: from memory on the event loop, computed in a worker thread where nobody has asked yet."""

import hashlib
from functools import lru_cache

import orjson
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from make_us_rich.errors import MakeUsRichError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.answers import WrittenForecasts
from make_us_rich.serving.caching import cached_response
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.serving.freshness import freshness_of, kept_seconds, require_answerable
from make_us_rich.serving.predictor import Predictor
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.parameters import FORECAST_PARAMETERS
from make_us_rich.serving.schemas import ForecastAnswer, ForecastListAnswer


def add_forecast_routes(app: FastAPI, view: DeskView, predictor: Predictor) -> None:
    """Add the routes that answer with forecasts."""
    written = WrittenForecasts(view.notice)

    @app.get(
        "/v1/forecasts/{symbol}",
        openapi_extra=FORECAST_PARAMETERS,
        tags=["forecasts"],
        response_model=ForecastAnswer,
        responses=_responses(404, 422, 503),
    )
    async def read_forecast(request: Request) -> Response:
        """Return the forecast of the coming closes of one symbol."""
        # Read by hand: FastAPI's own reading of two parameters costs more than all the rest of this answer.
        name = _price_name(request.path_params["symbol"], request.query_params.get("timeframe", "1h"))
        served = predictor.served(name)
        if served is None:
            served = await run_in_threadpool(predictor.compute, name)
        freshness = freshness_of(served.forecast, view.clock.now())
        require_answerable(served.forecast, freshness, view)
        answer = written.of(name, served)
        max_age = kept_seconds(view, [freshness])
        return cached_response(request, answer.body(freshness), answer.etag(freshness), max_age)

    @app.get(
        "/v1/forecasts", tags=["forecasts"], response_model=ForecastListAnswer, responses=_responses(503)
    )
    async def read_forecasts(request: Request) -> Response:
        """Return every forecast in service, and the series for which there is none."""
        now = view.clock.now()
        problems = predictor.problems()
        bodies, etags, ages = [], [], []
        for name, served in sorted(predictor.all_served().items(), key=lambda item: str(item[0])):
            freshness = freshness_of(served.forecast, now)
            try:
                require_answerable(served.forecast, freshness, view)
            except MakeUsRichError as error:
                problems[name] = error
                continue
            problems.pop(name, None)
            answer = written.of(name, served)
            bodies.append(answer.body(freshness))
            etags.append(answer.etag(freshness))
            ages.append(freshness)
        unavailable = orjson.dumps([_unavailable(name, error) for name, error in problems.items()])
        head = orjson.dumps({"market": view.market, "notice": view.notice}).removesuffix(b"}")
        body = b'%b,"forecasts":[%b],"unavailable":%b}' % (head, b",".join(bodies), unavailable)
        digest = hashlib.sha256("".join(etags).encode() + unavailable).hexdigest()[:20]
        return cached_response(request, body, f'W/"{digest}"', kept_seconds(view, ages))


@lru_cache(maxsize=1024)
def _price_name(symbol: str, timeframe: str) -> ModelName:
    return ModelName("price", Symbol.parse(symbol), Timeframe.parse(timeframe))


def _responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    return {
        304: {"description": "What the client holds is still the answer."},
        **problem_responses(*statuses),
    }


def _unavailable(name: ModelName, error: MakeUsRichError) -> dict[str, str]:
    return {"symbol": str(name.symbol), "timeframe": str(name.timeframe), "reason": str(error)}
