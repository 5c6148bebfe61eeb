"""The contract of a candle source."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import get_args

import polars as pl

from make_us_rich.errors import UnknownNameError
from make_us_rich.market.candle import (
    CANDLE_SCHEMA,
    FULL_SCHEMA,
    as_full_candles,
    candles_between,
    no_candles,
)
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import is_source_name
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market
from make_us_rich.testing.promise import require

_UNHEARD_OF = Symbol("NOSUCHCOIN", "NOWHERE")


def check_candle_source(
    source: CandleSource, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
) -> None:
    """Raise an `AssertionError` with a sentence where a source breaks the promises of `CandleSource`.

    The source must have at least two candles of `symbol` between `since` and `until`.
    """
    _check_identity(source, symbol, timeframe)
    pages = list(source.fetch(symbol, timeframe, since, until))
    _check_pages(pages)
    candles = _joined(pages)
    _check_order(candles, timeframe)
    _check_bounds(source, symbol, candles, timeframe)
    _check_windows(source, symbol, candles, timeframe)
    _check_unknown_symbol(source, timeframe, since, until)


def _check_identity(source: CandleSource, symbol: Symbol, timeframe: Timeframe) -> None:
    require(is_source_name(source.name), f"the name {source.name!r} must be usable as a folder's name")
    require(
        source.market in get_args(Market), f"the market {source.market!r} must be one of {get_args(Market)}"
    )
    symbols = source.symbols(timeframe)
    require(symbol in symbols, f"symbols({timeframe}) must list {symbol}, which can be fetched")
    require(symbols == sorted(set(symbols)), "symbols() must be sorted, each symbol once")


def _check_pages(pages: list[pl.DataFrame]) -> None:
    for page in pages:
        require(
            page.schema in (CANDLE_SCHEMA, FULL_SCHEMA) and page.schema == pages[0].schema,
            f"every page must have CANDLE_SCHEMA, or every page FULL_SCHEMA, found {page.schema}",
        )
        require(len(page) > 0, "a page must not be empty")


def _check_order(candles: pl.DataFrame, timeframe: Timeframe) -> None:
    require(len(candles) >= 2, "the window must hold at least two candles")
    steps = candles["open_time"].diff().drop_nulls()
    require((steps > timedelta(0)).all(), "candles must rise in time, within and across pages")
    remainder = candles["open_time"].dt.epoch("ms") % timeframe.milliseconds
    require((remainder == 0).all(), f"candles must open on the {timeframe} grid")


def _check_bounds(source: CandleSource, symbol: Symbol, candles: pl.DataFrame, timeframe: Timeframe) -> None:
    second, last = candles["open_time"].item(1), candles["open_time"].item(-1)
    inner = _fetch(source, symbol, timeframe, second, last)
    require(inner.equals(candles_between(candles, second, last)), "since is inclusive and until exclusive")
    middle = last + timeframe.duration / 2
    unfinished = _fetch(source, symbol, timeframe, last, middle)
    require(unfinished.is_empty(), "a candle that closes after until must not be answered")
    require(_fetch(source, symbol, timeframe, last, last).is_empty(), "an empty window must answer nothing")


def _check_windows(source: CandleSource, symbol: Symbol, candles: pl.DataFrame, timeframe: Timeframe) -> None:
    times = candles["open_time"]
    first, middle, end = times.item(0), times.item(len(times) // 2), times.item(-1) + timeframe.duration
    halves = [
        _fetch(source, symbol, timeframe, first, middle),
        _fetch(source, symbol, timeframe, middle, end),
    ]
    require(pl.concat(halves).equals(candles), "two windows must answer the same candles as one")


def _check_unknown_symbol(
    source: CandleSource, timeframe: Timeframe, since: datetime, until: datetime
) -> None:
    try:
        list(source.fetch(_UNHEARD_OF, timeframe, since, until))
    except UnknownNameError as error:
        require(str(_UNHEARD_OF) in str(error), f"the error must name {_UNHEARD_OF}")
        return
    raise AssertionError("an unknown symbol must raise UnknownNameError")


def _fetch(
    source: CandleSource, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
) -> pl.DataFrame:
    return _joined(source.fetch(symbol, timeframe, since, until))


def _joined(pages: Iterable[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([no_candles(FULL_SCHEMA), *(as_full_candles(page) for page in pages)])
