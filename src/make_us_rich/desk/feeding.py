"""One round of the desk, for a schedule of one's own: candles in, due outcomes scored, forecasts written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from make_us_rich.desk.accounts import opened_database
from make_us_rich.desk.desk import Desk
from make_us_rich.desk.loop import Feed
from make_us_rich.desk.plan import DEFAULT_SYMBOLS, TIMEFRAME
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace, parse_market, resolve_workplace
from make_us_rich.errors import UsageError
from make_us_rich.journal.journal import Journal
from make_us_rich.market.clock import Clock, ReplayClock, WallClock
from make_us_rich.market.sources import RecordedSource, resolve_source
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.settings import Settings


@dataclass(frozen=True, slots=True)
class FeedOrder:
    """What to feed: the market and source as they were named, and the pairs, none meaning the usual ones."""

    market: str | None
    source: str | None
    symbols: tuple[Symbol, ...]


def feed_once(order: FeedOrder, settings: Settings, now: datetime, report: ProgressReport) -> dict[str, Any]:
    """Work off the newest closed candle of every pair and return what was done."""
    place, source = _origin(order, settings)
    symbols = order.symbols or _usual_symbols(place, source)
    clock = _clock(source, symbols, now)
    feed = Feed(source, place.store(), symbols, TIMEFRAME)
    with opened_database(place) as database:
        tally = Desk(place, feed, clock, report, Journal(database, place.market)).feed_once().to_dict()
    counted = {name: tally[name] for name in ("candles", "forecasts", "scored", "skill", "coverage_90")}
    return {
        "market": place.market,
        "source": source.name,
        "symbols": [str(one) for one in symbols],
        **counted,
    }


def _origin(order: FeedOrder, settings: Settings) -> tuple[Workplace, CandleSource]:
    if order.source is None:
        place = resolve_workplace(order.market, settings)
        return place, place.default_source()
    source = resolve_source(order.source, settings)
    if order.market is not None and parse_market(order.market) != source.market:
        raise UsageError(
            f"source {order.source} belongs to the {source.market} market, not to {order.market}; "
            "leave one out"
        )
    return Workplace(settings, source.market), source


def _usual_symbols(place: Workplace, source: CandleSource) -> tuple[Symbol, ...]:
    stored = place.store().series()
    found = tuple(symbol for name, symbol, length in stored if (name, length) == (source.name, TIMEFRAME))
    return found or DEFAULT_SYMBOLS


def _clock(source: CandleSource, symbols: Sequence[Symbol], now: datetime) -> Clock:
    if not isinstance(source, RecordedSource):
        return WallClock()
    # a recording ends where it ends, and that is the present of its market
    end = min(now, max(source.span(symbol, TIMEFRAME)[1] for symbol in symbols))
    return ReplayClock(end, end, None)
