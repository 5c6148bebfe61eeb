"""The forecasts: from memory on the event loop, made in a worker thread where nobody has asked yet."""

import hashlib
from functools import lru_cache

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from make_us_rich.errors import MakeUsRichError, UnknownNameError
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kind import Served
from make_us_rich.forecasting.price.kind import PRICE
from make_us_rich.forecasting.refusals import unknown_name
from make_us_rich.forecasting.trend.kind import TREND_KINDS
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.model_name import ModelName, parse_subject
from make_us_rich.serving.answers import Answers, may_see, to_json
from make_us_rich.serving.caching import cached_response
from make_us_rich.serving.freshness import kept_seconds, require_answerable
from make_us_rich.serving.gate import asker_of
from make_us_rich.serving.needs import READER, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.parameters import FORECAST_PARAMETERS
from make_us_rich.serving.schemas import ForecastAnswer, ForecastListAnswer


def add_forecast_routes(app: FastAPI, board: Board) -> None:
    """Add the routes that answer with forecasts."""
    answers, view = Answers(board), board.view
    others = [kind for kind in board.kinds if kind not in (PRICE, *TREND_KINDS)]

    @app.get(
        "/v1/forecasts/{symbol}",
        openapi_extra=FORECAST_PARAMETERS,
        tags=["forecasts"],
        response_model=ForecastAnswer,
        responses=_responses(404, 422, 503),
    )
    @needs(READER)
    async def read_forecast(request: Request) -> Response:
        """Return the forecast of the coming closes of one symbol, or of another kind that is named."""
        # Read by hand: FastAPI's own reading of parameters costs more than all the rest of this answer.
        asked = request.query_params
        kind, timeframe = asked.get("kind", PRICE), asked.get("timeframe", "1h")
        name = _name(kind, request.path_params["symbol"], timeframe)
        if kind not in board.kinds:
            raise UnknownNameError(f"kind {kind!r} is not known; there are: {', '.join(board.kinds)}")
        served, asker = board.served(name), asker_of(request)
        if served is None:
            served = await run_in_threadpool(_compute, board, name, asker)
        _require_seen(board, name, asker)
        freshness = require_answerable(served, view)
        answer = answers.of(served)
        max_age = kept_seconds(view, [freshness])
        return cached_response(request, answer.body(freshness), answer.etag(freshness), max_age)

    @app.get(
        "/v1/forecasts", tags=["forecasts"], response_model=ForecastListAnswer, responses=_responses(503)
    )
    @needs(READER)
    async def read_forecasts(request: Request) -> Response:
        """Return every forecast in service, and the series for which there is none."""
        asker = asker_of(request)
        prices, further = answers.list([PRICE], asker), answers.list(others, asker)
        content = {
            "market": view.market,
            "notice": view.notice,
            "forecasts": prices.fragments(),
            "unavailable": [_unavailable(name, error) for name, error in prices.problems.items()],
            "others": further.fragments(),
            "others_unavailable": [
                {"name": str(name), "reason": str(error)} for name, error in further.problems.items()
            ],
        }
        lasting = to_json(
            [prices.etags(), further.etags(), content["unavailable"], content["others_unavailable"]]
        )
        digest = hashlib.sha256(lasting).hexdigest()[:20]
        max_age = kept_seconds(view, [*prices.ages, *further.ages])
        return cached_response(request, to_json(content), f'W/"{digest}"', max_age)


def _compute(board: Board, name: ModelName, asker: int | None) -> Served:
    if board.owner(name) is not None:
        _require_seen(board, name, asker)
    try:
        return board.compute(name)
    except MakeUsRichError:
        _require_seen(board, name, asker)  # even that it cannot be made is for its owner
        raise


def _require_seen(board: Board, name: ModelName, asker: int | None) -> None:
    if not may_see(board, name, asker):
        raise unknown_name(name, board.view)  # in the words for a name there never was


@lru_cache(maxsize=1024)
def _name(kind: str, subject: str, timeframe: str) -> ModelName:
    return ModelName(kind, parse_subject(subject), Timeframe.parse(timeframe))


def _responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    return {
        304: {"description": "What the client holds is still the answer."},
        **problem_responses(*statuses),
    }


def _unavailable(name: ModelName, error: MakeUsRichError) -> dict[str, str]:
    return {"symbol": str(name.subject), "timeframe": str(name.timeframe), "reason": str(error)}
