"""`mur feed`: one round of the desk, for a schedule of one's own."""

from typing import Annotated

import typer

from make_us_rich.commands.options import JsonOption, MarketOption, SourceOption

OnceOption = Annotated[bool, typer.Option("--once", help="Work off the newest closed candle and end.")]
PairOption = Annotated[
    list[str] | None,
    typer.Option("--symbol", help="A pair, repeatable; default: those stored, or BTC/USDT and ETH/USDT."),
]


def feed(
    *,
    once: OnceOption = False,
    symbols: PairOption = None,
    market: MarketOption = None,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch candles, score the forecasts that fell due, and write down the next ones."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.wording import feed_lines
    from make_us_rich.desk.feeding import FeedRequest, feed_once
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.errors import UsageError
    from make_us_rich.market.symbol import Symbol

    settings = begin()
    if not once:
        raise UsageError("mur feed works off one candle and ends: give --once; `mur up` goes on by itself")
    request = FeedRequest(market, source, tuple(Symbol.parse(text) for text in symbols or ()))
    with ProgressReport() as report:
        done = feed_once(request, settings, wall_now(), report)
    answer(done, feed_lines(done), as_json=as_json)
