"""`mur fetch` and `mur quality`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from make_us_rich.desk.history import Series
    from make_us_rich.desk.workplace import Workplace
    from make_us_rich.market.feed import FetchResult
    from make_us_rich.market.sources.source import CandleSource


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
    from make_us_rich.desk.history import SpanQuery, fetch_series, repair_series, resolve_fetch
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.market.sources.status import source_status

    place, chosen = resolve_fetch(begin(), source)
    query = SpanQuery(since, until, wall_now())
    records = []
    with ProgressReport() as progress:
        for series in parse_series(symbols, timeframe):
            result = fetch_series(place, chosen, series, query, progress)
            if repair:
                result = repair_series(place, chosen, series, result)
            records.append(_fetch_record(place, chosen, series, result))
    status = source_status(chosen)
    for sentence in status.sentences():
        say(sentence)
    answer({"series": records, "status": status.to_dict()}, map(fetch_line, records), as_json=as_json)


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
    from make_us_rich.desk.workplace import resolve_workplace

    (series,) = parse_series([symbol], timeframe)
    place = resolve_workplace(market, begin())
    record = _quality_record(place, series, wall_now())
    if indicators:
        record["indicators"] = _indicator_records(place, series, indicators)
    answer(record, quality_lines(record), as_json=as_json)


def _fetch_record(
    place: "Workplace", source: "CandleSource", series: "Series", result: "FetchResult"
) -> dict[str, Any]:
    symbol, timeframe = series
    return {
        "symbol": str(symbol),
        "timeframe": timeframe.name,
        "market": place.market,
        "source": source.name,
        "added": result.added,
        "revised": result.revised,
        "repaired": result.repaired,
        "total": result.total,
        "first": result.first,
        "last": result.last,
        "end": result.last + timeframe.duration if result.last else None,
    }


def _quality_record(place: "Workplace", series: "Series", now: datetime) -> dict[str, Any]:
    from make_us_rich.errors import DataError
    from make_us_rich.market.quality import check_quality, require_fit

    source = place.stored_source(*series)
    report = check_quality(place.store().load(source, *series), *series, now)
    try:
        require_fit(report)
        fault = None
    except DataError as error:
        fault = str(error)
    origin = {"market": place.market, "source": source}
    return report.to_dict() | origin | {"is_fit": fault is None, "verdict": fault or "fit to train on"}


def _indicator_records(place: "Workplace", series: "Series", tables: list[Path]) -> list[dict[str, Any]]:
    from make_us_rich.commands.indicator_tables import indicator_records

    candles = place.store().load(place.stored_source(*series), *series)
    return indicator_records(candles, series[1], tables)
