"""A series of candles: one symbol in one timeframe, from one source."""

from dataclasses import dataclass

from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Series:
    """Which candles are meant.

    >>> str(Series("binance", Symbol("BTC", "USDT"), Timeframe("1h")))
    'BTC/USDT 1h'
    """

    source: str
    symbol: Symbol
    timeframe: Timeframe

    @property
    def folder(self) -> str:
        """Where its candles lie in a store: `binance/BTC-USDT/1h`."""
        return f"{self.source}/{self.symbol.path_name}/{self.timeframe}"

    def of(self, symbol: Symbol) -> "Series":
        """Return the series of another symbol, from the same source and of the same length."""
        return Series(self.source, symbol, self.timeframe)

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe}"
