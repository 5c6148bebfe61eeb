"""One round of the desk, for a schedule of one's own: candles in, due outcomes scored, forecasts written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from make_us_rich.desk.desk import Desk
from make_us_rich.desk.intake import Feed
from make_us_rich.desk.plan import DEFAULT_SYMBOLS, TIMEFRAME
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.errors import UsageError
from make_us_rich.journal.histories import open_history
from make_us_rich.journal.journal import Journal
from make_us_rich.market.clock import Clock, ReplayClock, WallClock
from make_us_rich.market.sources import RecordedSource, resolve_source
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.operations.home_database import opened_database
from make_us_rich.operations.last_started import remember_market
from make_us_rich.operations.workplace import Workplace, parse_market, resolve_workplace
from make_us_rich.settings import Settings


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """What to feed: the market and source as they were named, and the pairs, none meaning the usual ones."""

    market: str | None
    source: str | None
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class FeedResult:
    """What one round has done; skill and coverage are those of what was scored in it."""

    market: str
    source: str
    symbols: tuple[str, ...]
    candles: int
    forecasts: int
    scored: int
    skill: float | None
    coverage_90: float | None


def feed_once(request: FeedRequest, settings: Settings, now: datetime, report: ProgressReport) -> FeedResult:
    """Work off the newest closed candle of every pair and return what was done."""
    place, source = _origin(request, settings)
    symbols = request.symbols or _usual_symbols(place, source)
    clock = _clock(source, symbols, now)
    feed = Feed(source, place.store(), symbols, TIMEFRAME)
    remember_market(settings, place.market, now)
    with opened_database(settings) as database:
        history = open_history(database, place.market, clock.now(), now)
        journal = Journal(database, place.market, history.number)
        done = Desk(place, feed, clock, report, journal).feed_once()
    return FeedResult(
        market=place.market,
        source=source.name,
        symbols=tuple(map(str, symbols)),
        candles=done.candles,
        forecasts=done.forecasts,
        scored=done.scored,
        skill=done.skill,
        coverage_90=done.coverage_90,
    )


def _origin(request: FeedRequest, settings: Settings) -> tuple[Workplace, CandleSource]:
    if request.source is None:
        place = resolve_workplace(request.market, settings)
        return place, place.default_source()
    source = resolve_source(request.source, settings)
    if request.market is not None and parse_market(request.market) != source.market:
        raise UsageError(
            f"source {request.source} belongs to the {source.market} market, not to {request.market}; "
            "leave one out"
        )
    return Workplace(settings, source.market), source


def _usual_symbols(place: Workplace, source: CandleSource) -> tuple[Symbol, ...]:
    stored = place.store().series()
    found = tuple(one.symbol for one in stored if (one.source, one.timeframe) == (source.name, TIMEFRAME))
    return found or DEFAULT_SYMBOLS


def _clock(source: CandleSource, symbols: Sequence[Symbol], now: datetime) -> Clock:
    if not isinstance(source, RecordedSource):
        return WallClock()
    # a recording ends where it ends, and that is the present of its market
    end = min(now, max(source.span(symbol, TIMEFRAME)[1] for symbol in symbols))
    return ReplayClock(end, end, None)
