"""Candles into the store: only what is missing is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from make_us_rich.market.feed import FetchResult
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.sources.status import SourceStatus, source_status
from make_us_rich.operations.history import Pair, SpanQuery, fetch_series, repair_series, resolve_fetch
from make_us_rich.operations.progress import Progress
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Market, Settings


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """What to fetch; source and span are as on the command line, None being the usual ones."""

    pairs: Sequence[Pair]
    source: str | None
    since: str | None
    until: str | None
    repair: bool = False


@dataclass(frozen=True, slots=True)
class FetchedSeries:
    """What was done for one series, and what is stored since; `end` is where its last candle closes."""

    symbol: str
    timeframe: str
    market: Market
    source: str
    added: int
    revised: int
    repaired: int
    total: int
    first: datetime | None
    last: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class FetchReport:
    """Every series in turn, and what the source had to say."""

    series: tuple[FetchedSeries, ...]
    status: SourceStatus

    def to_json(self) -> dict[str, object]:
        """Return it in JSON types."""
        return {"series": self.series, "status": self.status.to_dict()}


def fetch(order: FetchOrder, settings: Settings, now: datetime, progress: Progress) -> FetchReport:
    """Fetch what the store lacks of each pair, and repair it where that is wanted."""
    place, source = resolve_fetch(settings, order.source)
    query = SpanQuery(order.since, order.until, now)
    fetched = []
    for pair in order.pairs:
        result = fetch_series(place, source, pair, query, progress)
        if order.repair:
            result = repair_series(place, source, pair, result)
        fetched.append(_fetched(place, source, pair, result))
    return FetchReport(tuple(fetched), source_status(source))


def _fetched(place: Workplace, source: CandleSource, pair: Pair, result: FetchResult) -> FetchedSeries:
    symbol, timeframe = pair
    return FetchedSeries(
        symbol=str(symbol),
        timeframe=timeframe.name,
        market=place.market,
        source=source.name,
        added=result.added,
        revised=result.revised,
        repaired=result.repaired,
        total=result.total,
        first=result.first,
        last=result.last,
        end=result.last + timeframe.duration if result.last else None,
    )
