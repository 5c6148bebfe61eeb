from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from make_us_rich.market.candle import as_full_candles
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing import check_candle_source

SINCE = datetime(2024, 1, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=2)

Pages = Iterator[pl.DataFrame]


class Broken(SimulatedSource):
    """A source that changes the pages of a good one."""

    def __init__(self, change: Callable[[Pages], Pages]) -> None:
        super().__init__()
        self._change = change

    def fetch(self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime) -> Pages:
        return self._change(super().fetch(symbol, timeframe, since, until))


class BlindToTheEnd(SimulatedSource):
    def fetch(self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime) -> Pages:
        return super().fetch(symbol, timeframe, since, until + timeframe.duration)


class Forgetful(SimulatedSource):
    def fetch(self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime) -> Pages:
        known = symbol if symbol.quote == "USDT" else Symbol("BTC", "USDT")
        return super().fetch(known, timeframe, since, until)


def check(source: SimulatedSource, symbol: str = "BTC/USDT") -> None:
    check_candle_source(source, Symbol.parse(symbol), Timeframe("1h"), SINCE, UNTIL)


def each(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Pages], Pages]:
    return lambda pages: (change(page) for page in pages)


def mixed(pages: Pages) -> Pages:
    for page in pages:
        yield page.head(10)
        yield as_full_candles(page[10:])


def test_an_unchanged_source_passes():
    check(Broken(each(lambda page: page)))


def test_a_source_that_tells_what_was_traded_passes():
    check(Broken(each(lambda page: as_full_candles(page.with_columns(trades=7)))))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (each(lambda page: page.reverse()), "candles must rise in time"),
        (each(lambda page: pl.concat([page, page.tail(1)])), "candles must rise in time"),
        (
            each(lambda page: page.with_columns(pl.col("open_time") + timedelta(minutes=1))),
            "open on the 1h grid",
        ),
        (each(lambda page: page.with_columns(trades=1)), "every page must have CANDLE_SCHEMA"),
        (mixed, "or every page FULL_SCHEMA"),
        (each(lambda page: page.head(0)), "a page must not be empty"),
        (each(lambda page: page.head(1)), "at least two candles"),
        (lambda _: iter(()), "at least two candles"),
    ],
)
def test_pages_that_break_the_contract_are_told_in_a_sentence(change, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check(Broken(change))


def test_a_source_that_answers_beyond_until_is_told_so():
    with pytest.raises(AssertionError, match="until exclusive"):
        check(BlindToTheEnd())


def test_a_source_that_invents_unknown_symbols_is_told_so():
    with pytest.raises(AssertionError, match="an unknown symbol must raise UnknownNameError"):
        check(Forgetful())


def test_a_source_that_does_not_list_what_it_has_is_told_so():
    with pytest.raises(AssertionError, match="must list DOGE/EUR"):
        check(Forgetful(), "DOGE/EUR")


def test_a_name_that_is_no_folder_is_told_so():
    source = SimulatedSource()
    source.name = "../elsewhere"
    with pytest.raises(AssertionError, match="usable as a folder's name"):
        check(source)
