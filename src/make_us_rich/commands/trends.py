"""`mur trends`."""

from typing import Annotated

import typer

from make_us_rich.commands.options import JsonOption, MarketOption

DirectionArgument = Annotated[
    str | None, typer.Argument(metavar="[up|down]", help="One direction; default: both.")
]


def trends(
    direction: DirectionArgument = None, *, market: MarketOption = None, as_json: JsonOption = False
) -> None:
    """Say how probable a trend is, for every coin with daily candles."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.trend_record import parse_direction, trends_record
    from make_us_rich.commands.trend_wording import trends_lines
    from make_us_rich.desk.workplace import resolve_workplace

    wanted = parse_direction(direction) if direction else None
    record = trends_record(resolve_workplace(market, begin()), wanted, wall_now())
    answer(record, trends_lines(record), as_json=as_json)
