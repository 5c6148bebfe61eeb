"""What every source of candles promises."""

import difflib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol, runtime_checkable

import polars as pl

from make_us_rich.errors import UnknownNameError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market


class CandleSource(Protocol):
    """A place candles come from.

    `make_us_rich.testing.check_candle_source` checks all that is promised here.
    """

    @property
    def name(self) -> str:
        """Name of the folder in the store that holds this source's candles."""
        ...

    @property
    def market(self) -> Market:
        """The desk these candles belong to."""
        ...

    def symbols(self, timeframe: Timeframe) -> list[Symbol]:
        """Return what can be fetched in this timeframe, sorted."""
        ...

    def fetch(
        self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Iterator[pl.DataFrame]:
        """Yield pages of closed candles that open at or after `since` and close at or before `until`.

        Pages hold `CANDLE_SCHEMA`, or all of them `FULL_SCHEMA` where the source tells what was traded.
        They are not empty, and follow each other in time on the timeframe's grid;
        candles the source does not have are simply absent. An unknown symbol or timeframe is an
        `UnknownNameError`, a source that is away a `SourceUnavailableError`.
        """
        ...


@runtime_checkable
class RecordedSource(CandleSource, Protocol):
    """A source that ends where its recording does, and not at the present."""

    def span(self, symbol: Symbol, timeframe: Timeframe) -> tuple[datetime, datetime]:
        """Return the open time of the first recorded candle and the close time of the last."""
        ...


def unknown_symbol(source: str, symbol: Symbol, known: Iterable[Symbol]) -> UnknownNameError:
    """Build the error for a symbol a source does not have, with the names that come closest."""
    names = sorted(str(name) for name in known)
    close = difflib.get_close_matches(str(symbol), names, n=3, cutoff=0.5) or names[:3]
    advice = f"did you mean {', '.join(close)}?" if close else "it has no symbols at all"
    return UnknownNameError(f"{source} has no {symbol}; {advice}")


def unknown_timeframe(source: str, timeframe: Timeframe, known: Iterable[str]) -> UnknownNameError:
    """Build the error for a timeframe a source does not have, with those it has."""
    return UnknownNameError(f"{source} has no candles of {timeframe}; choose one of {', '.join(known)}")
