"""The pairs a user follows, what they hold of them, and what that is and will be worth."""

from fastapi import FastAPI, Request, Response

from make_us_rich.accounts.watchlist import list_entries, put_entry, remove_entry
from make_us_rich.forecasting.board import Board
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.serving.account_schemas import HoldingOrder, WatchlistAnswer
from make_us_rich.serving.gate import Guard, principal_of
from make_us_rich.serving.holdings_view import value_watchlist
from make_us_rich.serving.needs import COUNTED_MEMBER, MEMBER, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.parameters import SymbolText, TimeframeText


def add_watchlist_routes(app: FastAPI, board: Board, guard: Guard) -> None:
    """Add the routes of a user's own pairs; they read disk and database, so they run in worker threads."""
    access = guard.access

    @app.get("/v1/watchlist", tags=["account"], responses=problem_responses(422, 503))
    @needs(COUNTED_MEMBER)
    def read_watchlist(
        request: Request, response: Response, timeframe: TimeframeText = "1h"
    ) -> WatchlistAnswer:
        """Value one's pairs: now, a day ago, and within 90 % intervals at each horizon."""
        response.headers["Cache-Control"] = "no-store"
        entries = list_entries(access.database, principal_of(request).user_id)
        return value_watchlist(board, entries, Timeframe.parse(timeframe))

    @app.put(
        "/v1/watchlist/{symbol}",
        tags=["account"],
        status_code=204,
        responses=problem_responses(403, 422, 503),
    )
    @needs(MEMBER)
    def put_holding(request: Request, symbol: SymbolText, order: HoldingOrder) -> None:
        """Follow a pair, or say how much of its base currency is held."""
        user_id = principal_of(request).user_id
        put_entry(access.database, user_id, Symbol.parse(symbol), order.amount, access.now())

    @app.delete(
        "/v1/watchlist/{symbol}",
        tags=["account"],
        status_code=204,
        responses=problem_responses(403, 404, 422, 503),
    )
    @needs(MEMBER)
    def delete_holding(request: Request, symbol: SymbolText) -> None:
        """Follow a pair no longer."""
        remove_entry(access.database, principal_of(request).user_id, Symbol.parse(symbol))
