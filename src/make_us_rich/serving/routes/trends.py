"""The trends: all coins by probability, or one coin both ways."""

import hashlib
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response

from make_us_rich.features.trend_labels import Direction
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.trend.kind import TREND_TIMEFRAME
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.serving.answers import AnswerList, Answers, to_json
from make_us_rich.serving.caching import cached_response
from make_us_rich.serving.freshness import kept_seconds
from make_us_rich.serving.gate import asker_of
from make_us_rich.serving.needs import READER, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.original_trends import add_original_trend_routes
from make_us_rich.serving.routes.parameters import SymbolText
from make_us_rich.serving.trend_answers import list_content, trend_list, trends_of
from make_us_rich.serving.trend_schemas import TrendListAnswer

LONGEST_KEPT_SECONDS = 3_600  # a day of candles is long; a new model shall not wait for its end

DirectionText = Annotated[Direction | None, Query(description="up or down; default: both.")]
DailyText = Annotated[str, Query(description="Length of a candle.", examples=[str(TREND_TIMEFRAME)])]


def add_trend_routes(app: FastAPI, board: Board) -> None:
    """Add the routes that answer with trends; a first answer is computed, so they run in worker threads."""
    answers = Answers(board)

    @app.get(
        "/v1/trends",
        tags=["trends"],
        response_model=TrendListAnswer,
        responses=_responses(422, 503),
    )
    @needs(READER)
    def read_trends(request: Request, direction: DirectionText = None) -> Response:
        """Return the trends of every coin, the most probable first, and the coins without one."""
        return _response(request, board, trend_list(board, answers, direction, asker_of(request)))

    @app.get(
        "/v1/trends/{symbol}",
        tags=["trends"],
        response_model=TrendListAnswer,
        responses=_responses(404, 422, 503),
    )
    @needs(READER)
    def read_trends_of(
        request: Request, symbol: SymbolText, timeframe: DailyText = str(TREND_TIMEFRAME)
    ) -> Response:
        """Return both trends of one coin, the more probable first."""
        pair = Symbol.parse(symbol), Timeframe.parse(timeframe)
        return _response(request, board, trends_of(board, answers, *pair))

    add_original_trend_routes(app, board)


def _response(request: Request, board: Board, found: AnswerList) -> Response:
    content = list_content(board, found)
    lasting = to_json([found.etags(), content["unavailable"]])
    digest = hashlib.sha256(lasting).hexdigest()[:20]
    max_age = min(kept_seconds(board.view, found.ages), LONGEST_KEPT_SECONDS)
    return cached_response(request, to_json(content), f'W/"{digest}"', max_age)


def _responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {304: {"description": "What the client holds is still the answer."}} | problem_responses(*statuses)
