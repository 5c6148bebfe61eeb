"""`mur trends`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from make_us_rich.commands.options import JsonOption, MarketOption
from make_us_rich.errors import ForecastUnavailableError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from make_us_rich.features.trend_labels import Direction
    from make_us_rich.operations.workplace import Workplace
    from make_us_rich.serving.trend_schemas import TrendListAnswer

DirectionArgument = Annotated[
    str | None, typer.Argument(metavar="[up|down]", help="One direction; default: both.")
]


def trends(
    direction: DirectionArgument = None, *, market: MarketOption = None, as_json: JsonOption = False
) -> None:
    """Say how probable a trend is, for every coin with daily candles."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.trend_wording import trends_lines
    from make_us_rich.operations.workplace import resolve_workplace

    wanted = _parse_direction(direction) if direction else None
    found = made_trends(resolve_workplace(market, begin()), wanted, wall_now())
    answer(found, trends_lines(found), as_json=as_json)


def made_trends(place: "Workplace", direction: "Direction | None", now: datetime) -> "TrendListAnswer":
    """Return the trends as `/v1/trends` does; where there is not one, why not is raised."""
    from make_us_rich.operations.forecast import standing_board
    from make_us_rich.serving.answers import Answers, to_json
    from make_us_rich.serving.trend_answers import list_content, trend_list
    from make_us_rich.serving.trend_schemas import TrendListAnswer

    board = standing_board(place, now)
    body = to_json(list_content(board, trend_list(board, Answers(board), direction, None)))
    found = TrendListAnswer.model_validate_json(body, extra="ignore")
    _require_some(found)
    return found


def _parse_direction(text: str) -> "Direction":
    from make_us_rich.features.trend_labels import Direction

    known: tuple[Direction, ...] = get_args(Direction)
    for direction in known:
        if text == direction:
            return direction
    raise UsageError(f"direction {text!r} is not known; choose up or down")


def _require_some(found: "TrendListAnswer") -> None:
    if found.trends:
        return
    if not found.unavailable:
        raise UnknownNameError(
            f"no daily candles are stored in the {found.market} market; "
            "`mur fetch SYMBOL… --timeframe 1d` gets some"
        )
    count = len(found.unavailable)
    others = f" ({count} trends in all)" if count > 1 else ""
    raise ForecastUnavailableError(f"no trend can be forecast{others}: {found.unavailable[0].reason}")
