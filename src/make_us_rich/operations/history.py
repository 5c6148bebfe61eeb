"""Candles for a question: from which source, over which span, and how they get into the store."""

from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from make_us_rich.errors import NotEnoughHistoryError, UsageError
from make_us_rich.market.dates import format_moment, parse_moment, parse_since
from make_us_rich.market.feed import FetchResult, repair_candles, update_candles
from make_us_rich.market.series import Series
from make_us_rich.market.snapshot import Origin, Snapshot, take_snapshot
from make_us_rich.market.sources import RecordedSource, resolve_source
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.progress import Progress, Step
from make_us_rich.operations.workplace import Workplace, parse_market, resolve_workplace
from make_us_rich.settings import Settings

DEFAULT_SINCE = "730d"
"""Two years, the history a price model is trained on by default."""

Pair = tuple[Symbol, Timeframe]
"""A symbol and a timeframe, before it is known from which source."""


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
    place: Workplace, source: CandleSource, pair: Pair, query: SpanQuery, progress: Progress
) -> FetchResult:
    """Fetch what the store lacks of a span."""
    series = Series(source.name, *pair)
    return fetch_span(source, place.store(), series, query.resolve(_end(source, pair, query.now)), progress)


def fetch_span(
    source: CandleSource, store: CandleStore, series: Series, span: Span, progress: Progress
) -> FetchResult:
    """Fetch what the store lacks of a span, reporting how far it is."""
    total = _count_missing(store, series, span)
    done = 0

    def on_page(page: pl.DataFrame) -> None:
        nonlocal done
        done = min(done + len(page), total)
        progress(Step(f"Fetching {series} from {source.name}", done, total))

    return update_candles(source, store, series, since=span.since, until=span.until, on_page=on_page)


def repair_series(place: Workplace, source: CandleSource, pair: Pair, fetched: FetchResult) -> FetchResult:
    """Ask the source again for gaps and impossible candles; the result counts what was fetched before too."""
    result = repair_candles(source, place.store(), Series(source.name, *pair))
    return replace(result, added=fetched.added + result.added, revised=fetched.revised + result.revised)


def snapshot_series(
    place: Workplace, source: CandleSource | None, pair: Pair, query: SpanQuery, progress: Progress
) -> Snapshot:
    """Return a checked snapshot of a span, fetched first where a source is given."""
    if source is not None:
        fetch_series(place, source, pair, query, progress)
    series = Series(source.name, *pair) if source is not None else place.stored_series(*pair)
    store = place.store()
    last = store.last_open_time(series)
    if last is None:
        raise NotEnoughHistoryError(f"{series}: {series.source} has no candles of it; choose another source")
    span = query.resolve(min(last + series.timeframe.duration, query.now))
    candles = store.load_full(series, since=span.since, until=span.until)
    return take_snapshot(candles, *pair, origin=Origin(place.market, series.source), now=span.until)


def _end(source: CandleSource, pair: Pair, now: datetime) -> datetime:
    # a recording ends where it ends, a market goes on
    return source.span(*pair)[1] if isinstance(source, RecordedSource) else now


def _count_missing(store: CandleStore, series: Series, span: Span) -> int:
    duration = series.timeframe.duration
    first = store.first_open_time(series)
    last = store.last_open_time(series)
    if first is None or last is None:
        return (span.until - span.since) // duration
    before = (first - span.since) // duration
    after = (span.until - last) // duration - 1
    return max(before, 0) + max(after, 0)
