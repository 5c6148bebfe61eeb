"""Candles for a question: from which source, over which span, and how they get into the store."""

from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from make_us_rich.desk.moments import format_moment, parse_moment, parse_since
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace, parse_market, resolve_workplace
from make_us_rich.errors import NotEnoughHistoryError, UsageError
from make_us_rich.market.feed import FetchResult, repair_candles, update_candles
from make_us_rich.market.snapshot import Origin, Snapshot, take_snapshot
from make_us_rich.market.sources import RecordedSource, resolve_source
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Settings

DEFAULT_SINCE = "730d"
"""Two years, the history a price model is trained on by default."""

Series = tuple[Symbol, Timeframe]


@dataclass(frozen=True, slots=True)
class Span:
    """Candles that open from `since` on and before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class SpanQuery:
    """A span as a person asks for it; resolved per series, since recordings end at different times."""

    since: str | None
    until: str | None
    now: datetime

    def resolve(self, end: datetime) -> Span:
        """Return the span that is meant, given where candles end; nothing later is ever asked for."""
        last = min(parse_moment(self.until), end) if self.until else end
        first = parse_since(self.since or DEFAULT_SINCE, last)
        if first >= last:
            raise UsageError(
                f"no candles can lie between {format_moment(first)} and {format_moment(last)}; "
                "choose an earlier --since or a later --until"
            )
        return Span(first, last)


def resolve_origin(
    settings: Settings, market: str | None, source: str | None
) -> tuple[Workplace, CandleSource | None]:
    """Return the workplace, and the source to fetch from, None where what is stored is meant.

    A named source fetches. A named market means what its store holds. With neither it is the market
    in use, and only live candles are fetched first, because they go on while the others stand still.
    """
    if source is not None:
        chosen = resolve_source(source, settings)
        if market is not None and parse_market(market) != chosen.market:
            raise UsageError(
                f"source {source} belongs to the {chosen.market} market, not to {market}; leave one out"
            )
        return Workplace(settings, chosen.market), chosen
    place = resolve_workplace(market, settings)
    return place, place.default_source() if market is None and place.market == "live" else None


def resolve_fetch(settings: Settings, source: str | None) -> tuple[Workplace, CandleSource]:
    """Return where fetched candles go: those of a named source, else of `MUR_MARKET`, else the exchange."""
    if source is not None:
        chosen = resolve_source(source, settings)
        return Workplace(settings, chosen.market), chosen
    place = Workplace(settings, settings.market or "live")
    return place, place.default_source()


def fetch_series(
    place: Workplace, source: CandleSource, series: Series, query: SpanQuery, progress: ProgressReport
) -> FetchResult:
    """Fetch what the store lacks of a span."""
    return fetch_span(source, place.store(), series, query.resolve(_end(source, series, query.now)), progress)


def fetch_span(
    source: CandleSource, store: CandleStore, series: Series, span: Span, progress: ProgressReport
) -> FetchResult:
    """Fetch what the store lacks of a span, reporting how far it is."""
    symbol, timeframe = series
    total = _count_missing(source, store, series, span)
    done = 0

    def on_page(page: pl.DataFrame) -> None:
        nonlocal done
        done = min(done + len(page), total)
        progress.report(f"Fetching {symbol} {timeframe} from {source.name}", done, total)

    return update_candles(
        source, store, symbol, timeframe, since=span.since, until=span.until, on_page=on_page
    )


def repair_series(
    place: Workplace, source: CandleSource, series: Series, fetched: FetchResult
) -> FetchResult:
    """Ask the source again for gaps and impossible candles; the result counts what was fetched before too."""
    result = repair_candles(source, place.store(), *series)
    return replace(result, added=fetched.added + result.added, revised=fetched.revised + result.revised)


def snapshot_series(
    place: Workplace, source: CandleSource | None, series: Series, query: SpanQuery, progress: ProgressReport
) -> Snapshot:
    """Return a checked snapshot of a span, fetched first where a source is given."""
    if source is not None:
        fetch_series(place, source, series, query, progress)
    name = source.name if source is not None else place.stored_source(*series)
    store = place.store()
    last = store.last_open_time(name, *series)
    if last is None:
        raise NotEnoughHistoryError(
            f"{series[0]} {series[1]}: {name} has no candles of it; choose another source"
        )
    span = query.resolve(min(last + series[1].duration, query.now))
    candles = store.load_full(name, *series, since=span.since, until=span.until)
    return take_snapshot(candles, *series, origin=Origin(place.market, name), now=span.until)


def _end(source: CandleSource, series: Series, now: datetime) -> datetime:
    # a recording ends where it ends, a market goes on
    return source.span(*series)[1] if isinstance(source, RecordedSource) else now


def _count_missing(source: CandleSource, store: CandleStore, series: Series, span: Span) -> int:
    symbol, timeframe = series
    first = store.first_open_time(source.name, symbol, timeframe)
    last = store.last_open_time(source.name, symbol, timeframe)
    if first is None or last is None:
        return (span.until - span.since) // timeframe.duration
    before = (first - span.since) // timeframe.duration
    after = (span.until - last) // timeframe.duration - 1
    return max(before, 0) + max(after, 0)
