"""What a forecast is made from: candles, shelf and clock of one market, read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from make_us_rich.database.engine import Database
from make_us_rich.errors import UnknownNameError
from make_us_rich.market.clock import Clock
from make_us_rich.market.series import Series
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.shelf import Shelf
from make_us_rich.settings import Market

SIMULATED_NOTICE = "SIMULATED: generated candles of a market that does not exist"


@dataclass(frozen=True, slots=True)
class MarketView:
    """One market as forecasts and the service read it.

    `preferred_source` is taken where several sources hold the same series; otherwise the first by name is.
    Candles older than `stale_limit` are no longer answered from. `database` holds what people own, for kinds
    whose names come from there.
    """

    market: Market
    candles: CandleStore
    shelf: Shelf
    clock: Clock
    stale_limit: timedelta = timedelta(hours=48)
    preferred_source: str | None = None
    database: Database | None = None

    @property
    def notice(self) -> str | None:
        """What every answer of a simulated market has to say."""
        return SIMULATED_NOTICE if self.market == "simulated" else None

    def series(self) -> list[Series]:
        """Return every stored series, one per symbol and timeframe, in the order of their names."""
        found: dict[tuple[Symbol, Timeframe], Series] = {}
        for one in self.candles.series():
            pair = (one.symbol, one.timeframe)
            if pair not in found or one.source == self.preferred_source:
                found[pair] = one
        return sorted(found.values(), key=lambda one: (one.symbol.path_name, one.timeframe.name))

    def find(self, symbol: Symbol, timeframe: Timeframe) -> Series:
        """Return one stored series; `UnknownNameError` says which there are."""
        stored = self.series()
        for one in stored:
            if (one.symbol, one.timeframe) == (symbol, timeframe):
                return one
        there = ", ".join(str(one) for one in stored) or "none"
        raise UnknownNameError(f"{symbol} {timeframe}: no candles are stored; there are: {there}")

    def newest_close(self, series: Series, now: datetime) -> datetime | None:
        """Return the close time of the newest stored candle that had closed at `now`."""
        last = self.candles.last_open_time(series)
        return None if last is None else min(last + series.timeframe.duration, series.timeframe.floor(now))

    def closed_candles(
        self, series: Series, count: int | None, now: datetime, *, with_trades: bool = False
    ) -> pl.DataFrame:
        """Return the candles of the last `count` steps, or all, that are stored and had closed at `now`."""
        until = series.timeframe.floor(now)
        last = self.candles.last_open_time(series)
        if last is not None:
            until = min(until, last + series.timeframe.duration)
        since = None if count is None else until - count * series.timeframe.duration
        load = self.candles.load_full if with_trades else self.candles.load
        return load(series, since, until)

    def market_candles(self, series: Series, symbols: Sequence[str], span: pl.Series) -> list[pl.DataFrame]:
        """Return the stored candles of other symbols over a span of open times, each from the same source."""
        since, until = span.item(0), span.item(-1) + series.timeframe.duration
        return [self.candles.load(series.of(Symbol.parse(symbol)), since, until) for symbol in symbols]
