"""Where one market's desk keeps its things, and which market is meant when nobody says so."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import get_args

from make_us_rich.database.engine import Database, database_url, open_database
from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.market.clock import Clock
from make_us_rich.market.sources import resolve_source
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.shelf import Shelf
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.settings import Market, Settings

MARKETS: tuple[Market, ...] = get_args(Market)


@dataclass(frozen=True, slots=True)
class Workplace:
    """One market of this machine; live, replay and simulated share nothing."""

    settings: Settings
    market: Market

    @property
    def home(self) -> Path:
        """The folder that holds everything of this market."""
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
        return Shelf(self.home / "shelf", self.market)

    def database(self) -> Database:
        """Return the database, which nobody has connected to yet; the markets have their own by default."""
        return open_database(database_url(self.settings, self.home))

    def view(self, clock: Clock, preferred_source: str | None = None) -> DeskView:
        """Return what the API sees of this market."""
        return DeskView(
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

    def stored_source(self, symbol: Symbol, timeframe: Timeframe) -> str:
        """Return the name of the source whose candles of this series are stored, if several the default."""
        names = [name for name, *series in self.store().series() if series == [symbol, timeframe]]
        if not names:
            raise UnknownNameError(
                f"{symbol} {timeframe}: no candles are stored in the {self.market} market; "
                f"run `mur fetch {symbol} --timeframe {timeframe}` first"
            )
        return self.settings.exchange if self.settings.exchange in names else names[0]


def resolve_workplace(market: str | None, settings: Settings) -> Workplace:
    """Return the workplace of a named market, or of the one that is meant.

    That is `MUR_MARKET`; without it live, if it holds candles or nothing does; otherwise the only
    market that holds some. Two that hold some, and no live one, are too many to choose from.
    """
    chosen = market or settings.market
    if chosen is not None:
        return Workplace(settings, parse_market(chosen))
    filled = [place for place in (Workplace(settings, name) for name in MARKETS) if place.store().series()]
    if len(filled) > 1 and filled[0].market != "live":
        raise UsageError("both replay and simulated hold candles; say which with --market")
    return filled[0] if filled else Workplace(settings, "live")


def parse_market(text: str) -> Market:
    """Read the name of a market."""
    for market in MARKETS:
        if text == market:
            return market
    raise UsageError(f"market {text!r} is not known; choose one of {', '.join(MARKETS)}")
