"""`mur fetch` and `mur quality`."""

from pathlib import Path
from typing import Annotated

import typer

from make_us_rich.commands.options import (
    JsonOption,
    MarketOption,
    SinceOption,
    SourceOption,
    SymbolArgument,
    SymbolsArgument,
    TimeframeOption,
    UntilOption,
)


def fetch(
    symbols: SymbolsArgument,
    *,
    timeframe: TimeframeOption = "1h",
    since: SinceOption = None,
    until: UntilOption = None,
    source: SourceOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Ask again for gaps and impossible candles.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch candles into the store; only what is missing is asked for."""
    from make_us_rich.commands.answer import answer, begin, parse_series, say, wall_now
    from make_us_rich.commands.wording import fetch_line
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.operations.fetch import FetchOrder
    from make_us_rich.operations.fetch import fetch as fetch_candles

    order = FetchOrder(parse_series(symbols, timeframe), source, since, until, repair)
    settings = begin()
    with ProgressReport() as progress:
        report = fetch_candles(order, settings, wall_now(), progress)
    for sentence in report.status.sentences():
        say(sentence)
    answer(report, map(fetch_line, report.series), as_json=as_json)


def quality(
    symbol: SymbolArgument,
    *,
    timeframe: TimeframeOption = "1h",
    market: MarketOption = None,
    indicators: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A table of daily indicators to compare ours with; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Report gaps and defects of stored candles, and whether they are fit to train on."""
    from make_us_rich.commands.answer import answer, begin, parse_series, wall_now
    from make_us_rich.commands.wording import quality_lines
    from make_us_rich.operations.quality import check_stored
    from make_us_rich.operations.workplace import resolve_workplace

    (pair,) = parse_series([symbol], timeframe)
    found = check_stored(resolve_workplace(market, begin()), pair, indicators or [], wall_now())
    answer(found, quality_lines(found), as_json=as_json)
