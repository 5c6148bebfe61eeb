"""Where one market's desk keeps its things, and which market is meant when nobody says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

from make_us_rich.database.engine import Database, database_url, open_database
from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.market.clock import Clock, ReplayClock, WallClock
from make_us_rich.market.series import Series
from make_us_rich.market.sources import resolve_source
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.last_started import last_started_market
from make_us_rich.registry.shelf import Shelf
from make_us_rich.settings import Market, Settings

MARKETS: tuple[Market, ...] = get_args(Market)


@dataclass(frozen=True, slots=True)
class Workplace:
    """One market of this home; live, replay and simulated share people and nothing else."""

    settings: Settings
    market: Market

    @property
    def home(self) -> Path:
        """The folder that holds candles and models of this market."""
        return self.settings.market_home(self.market)

    @property
    def snapshots(self) -> Path:
        """The folder of the snapshots models were trained on."""
        return self.home / "snapshots"

    def store(self) -> CandleStore:
        """Return the candle store; one of a newer version raises `StoreError`."""
        return CandleStore(self.home / "candles")

    def shelf(self) -> Shelf:
        """Return the shelf of models."""
        return open_shelf(self.home / "shelf", self.market)

    def database(self) -> Database:
        """Return the database of this home, which nobody has connected to yet; its markets share it."""
        return open_database(database_url(self.settings))

    def view(self, clock: Clock, preferred_source: str | None = None) -> MarketView:
        """Return what the API sees of this market."""
        return MarketView(
            market=self.market,
            candles=self.store(),
            shelf=self.shelf(),
            clock=clock,
            stale_limit=timedelta(hours=self.settings.stale_limit_hours),
            preferred_source=preferred_source or self.settings.exchange,
        )

    def default_source(self) -> CandleSource:
        """Return the source candles come from when none is named; a replay has none."""
        if self.market == "replay":
            raise UsageError("a replay needs its folder of candles; name it with --source replay:DIR")
        name = "simulated" if self.market == "simulated" else self.settings.exchange
        return resolve_source(name, self.settings)

    def stored_series(self, symbol: Symbol, timeframe: Timeframe) -> Series:
        """Return the stored series of a symbol, if several that of the default source."""
        stored = self.store().series()
        found = [one for one in stored if (one.symbol, one.timeframe) == (symbol, timeframe)]
        if not found:
            raise UnknownNameError(
                f"{symbol} {timeframe}: no candles are stored in the {self.market} market; "
                f"run `mur fetch {symbol} --timeframe {timeframe}` first"
            )
        return next((one for one in found if one.source == self.settings.exchange), found[0])


def resolve_workplace(market: str | None, settings: Settings) -> Workplace:
    """Return the workplace of a named market, or of the one that is meant.

    That is `MUR_MARKET`, or the one last started. In a home where none was: live, if it holds candles or
    nothing does; otherwise the only market that holds some. Two that hold some, and no live one, are too
    many to choose from.
    """
    chosen = market or settings.market or last_started_market(settings)
    if chosen is not None:
        return Workplace(settings, parse_market(chosen))
    filled = [place for place in (Workplace(settings, name) for name in MARKETS) if place.store().series()]
    if len(filled) > 1 and filled[0].market != "live":
        raise UsageError("both replay and simulated hold candles; say which with --market")
    return filled[0] if filled else Workplace(settings, "live")


def standing_clock(place: Workplace, now: datetime) -> Clock:
    """Return the clock stored candles are served by: a replay stands at its last candle, others go on."""
    store = place.store()
    ends = [
        last + series.timeframe.duration
        for series in store.series()
        if (last := store.last_open_time(series)) is not None
    ]
    if place.market != "replay" or not ends:
        return WallClock()
    end = min(max(ends), now)
    return ReplayClock(end, end, None)


def parse_market(text: str) -> Market:
    """Read the name of a market."""
    for market in MARKETS:
        if text == market:
            return market
    raise UsageError(f"market {text!r} is not known; choose one of {', '.join(MARKETS)}")
