"""What the service sees of a desk: candles, shelf and clock of one market, read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from make_us_rich.errors import UnknownNameError
from make_us_rich.market.clock import Clock
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.model_name import ModelName
from make_us_rich.registry.shelf import Shelf
from make_us_rich.settings import Market

SIMULATED_NOTICE = "SIMULATED: generated candles of a market that does not exist"


@dataclass(frozen=True, slots=True)
class Series:
    """The stored candles of one symbol and timeframe, by the source they came from."""

    source: str
    symbol: Symbol
    timeframe: Timeframe

    @property
    def price_name(self) -> ModelName:
        """The name of the price forecast of this series."""
        return ModelName("price", self.symbol, self.timeframe)

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe}"


@dataclass(frozen=True, slots=True)
class DeskView:
    """One market as the service reads it.

    `preferred_source` is taken where several sources hold the same series; otherwise the first by name is.
    Candles older than `stale_limit` are no longer answered from.
    """

    market: Market
    candles: CandleStore
    shelf: Shelf
    clock: Clock
    stale_limit: timedelta = timedelta(hours=48)
    preferred_source: str | None = None

    @property
    def notice(self) -> str | None:
        """What every answer of a simulated market has to say."""
        return SIMULATED_NOTICE if self.market == "simulated" else None

    def series(self) -> dict[ModelName, Series]:
        """Return every stored series under the name of its price forecast."""
        found: dict[ModelName, Series] = {}
        for one in (Series(*stored) for stored in self.candles.series()):
            if one.price_name not in found or one.source == self.preferred_source:
                found[one.price_name] = one
        return {name: found[name] for name in sorted(found, key=str)}

    def find(self, symbol: Symbol, timeframe: Timeframe) -> Series:
        """Return one stored series; `UnknownNameError` says which there are."""
        stored = self.series()
        found = stored.get(ModelName("price", symbol, timeframe))
        if found is None:
            there = ", ".join(str(one) for one in stored.values()) or "none"
            raise UnknownNameError(f"{symbol} {timeframe}: no candles are stored; there are: {there}")
        return found

    def has_candle_since(self, series: Series, moment: datetime) -> bool:
        """Say whether a candle is stored that opened at `moment` or later."""
        last = self.candles.last_open_time(series.source, series.symbol, series.timeframe)
        return last is not None and last >= moment

    def closed_candles(
        self, series: Series, count: int | None, now: datetime, *, with_trades: bool = False
    ) -> pl.DataFrame:
        """Return the candles of the last `count` steps, or all, that are stored and had closed at `now`."""
        until = series.timeframe.floor(now)
        last = self.candles.last_open_time(series.source, series.symbol, series.timeframe)
        if last is not None:
            until = min(until, last + series.timeframe.duration)
        since = None if count is None else until - count * series.timeframe.duration
        load = self.candles.load_full if with_trades else self.candles.load
        return load(series.source, series.symbol, series.timeframe, since, until)

    def market_candles(self, series: Series, symbols: Sequence[str], span: pl.Series) -> list[pl.DataFrame]:
        """Return the stored candles of other symbols over a span of open times, each from the same source."""
        since, until = span.item(0), span.item(-1) + series.timeframe.duration
        return [
            self.candles.load(series.source, Symbol.parse(symbol), series.timeframe, since, until)
            for symbol in symbols
        ]
