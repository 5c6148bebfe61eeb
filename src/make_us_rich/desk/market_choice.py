"""Which market a desk runs on, and which clock goes with it."""

from dataclasses import dataclass
from datetime import datetime

from make_us_rich.desk.plan import DEFAULT_SYMBOLS, TIMEFRAME, DeskPlan
from make_us_rich.errors import SourceUnavailableError, UsageError
from make_us_rich.market.clock import Clock, ReplayClock, WallClock
from make_us_rich.market.sources import CandleSource, ReplaySource, SimulatedSource, resolve_source
from make_us_rich.market.symbol import Symbol
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Settings

_EXCHANGE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MarketChoice:
    """Where the desk works, what it reads, and the line that says why it is this market."""

    place: Workplace
    source: CandleSource
    says: str


def choose_market(plan: DeskPlan, settings: Settings) -> MarketChoice:
    """Return the market that was asked for; left open, it is live, or simulated where that cannot be had.

    The simulated market stands in only where no live candle was ever stored: real and made-up prices
    never follow each other on one desk.
    """
    if plan.replay_from is not None:
        replay = ReplaySource(plan.replay_from)
        return MarketChoice(
            Workplace(settings, "replay"), replay, f"Replaying recorded candles from {plan.replay_from}."
        )
    if plan.market == "simulated":
        return _simulated(settings, "as asked")
    place = Workplace(settings, "live")
    source = resolve_source(settings.exchange, settings)
    if _answers(source):
        return MarketChoice(place, source, f"Live candles from {source.name}.")
    silence = f"{source.name} did not answer within {_EXCHANGE_SECONDS:.0f} s"
    if place.store().series():
        return MarketChoice(
            place, source, f"{silence}; going on with stored candles, which are marked as stale."
        )
    if plan.market == "live":
        raise SourceUnavailableError(
            f"{silence} and no live candle is stored; try again later, or use --market simulated"
        )
    return _simulated(settings, f"because {silence}")


def choose_symbols(plan: DeskPlan, source: CandleSource) -> tuple[Symbol, ...]:
    """Return the pairs to follow: those named, or of the default ones those a recording has."""
    if plan.symbols or not isinstance(source, ReplaySource):
        return plan.symbols or DEFAULT_SYMBOLS
    recorded = source.symbols(TIMEFRAME)
    found = tuple(symbol for symbol in DEFAULT_SYMBOLS if symbol in recorded)
    if not found:
        raise UsageError(
            f"{plan.replay_from} holds neither BTC/USDT nor ETH/USDT {TIMEFRAME}; name a pair with --symbol"
        )
    return found


def choose_clock(plan: DeskPlan, source: CandleSource, symbols: tuple[Symbol, ...], now: datetime) -> Clock:
    """Return the wall clock, or one that plays the asked-for past and ends with the candles."""
    if not plan.is_played():
        return WallClock()
    end = now
    if isinstance(source, ReplaySource):
        end = max(source.span(symbol, TIMEFRAME)[1] for symbol in symbols)
    until = min(plan.until or end, end)
    start = plan.start or until
    if start > until:
        raise UsageError(
            f"--start {start:%Y-%m-%d %H:%M} lies after the end, {until:%Y-%m-%d %H:%M}; choose another"
        )
    return ReplayClock(TIMEFRAME.floor(start), TIMEFRAME.floor(until), plan.speed)


def _simulated(settings: Settings, why: str) -> MarketChoice:
    says = f"SIMULATED MARKET ({why}): every candle is made up, and every answer says so."
    return MarketChoice(Workplace(settings, "simulated"), SimulatedSource(), says)


def _answers(source: CandleSource) -> bool:
    is_reachable = getattr(source, "is_reachable", None)  # third-party sources need not have it
    return is_reachable is None or bool(is_reachable(_EXCHANGE_SECONDS))
