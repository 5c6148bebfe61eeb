"""The forecasts a standing desk would serve now."""

from dataclasses import dataclass
from datetime import datetime

from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kind import Served
from make_us_rich.market.symbol import Symbol
from make_us_rich.operations.workplace import Workplace, standing_clock
from make_us_rich.registry.model_name import ModelName


@dataclass(frozen=True, slots=True, eq=False)
class MadeForecast:
    """A forecast with the board it stands on, which says how old it may be."""

    board: Board
    served: Served


def standing_board(place: Workplace, now: datetime) -> Board:
    """Return the board of what is stored; a replay stands at its last candle."""
    return Board(place.view(standing_clock(place, now)))


def forecast(place: Workplace, name: ModelName, now: datetime) -> MadeForecast:
    """Make the forecast of a name from stored candles, with the models in service."""
    if isinstance(name.subject, Symbol):
        place.stored_series(name.subject, name.timeframe)  # says how to fetch, where nothing is stored
    board = standing_board(place, now)
    return MadeForecast(board, board.compute(name))
