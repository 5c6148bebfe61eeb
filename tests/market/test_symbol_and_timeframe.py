from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.errors import UsageError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

CODES = st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True)
TIMEFRAMES = ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d"]


@given(CODES, CODES)
def test_a_symbol_is_read_back_from_both_its_forms(base, quote):
    symbol = Symbol(base, quote)
    assert Symbol.parse(str(symbol)) == Symbol.parse(symbol.path_name) == symbol
    assert Symbol.parse(f" {str(symbol).lower()} ") == symbol


@given(st.text())
def test_any_text_is_a_symbol_or_one_clear_line(text):
    try:
        name = Symbol.parse(text).path_name
    except UsageError as error:
        name = str(error)
    assert "\n" not in name
    assert ("write it like BTC/USDT" in name) or not set("/.\\") & set(name)


@pytest.mark.parametrize("text", ["", "BTC", "BTC/", "BTC/USDT/X", "../USDT", "BTC USDT", "BTC/US.DT"])
def test_what_is_not_base_and_quote_is_refused(text):
    with pytest.raises(UsageError, match="not of the form BASE/QUOTE"):
        Symbol.parse(text)


@pytest.mark.parametrize("name", TIMEFRAMES)
def test_every_timeframe_divides_the_day(name):
    timeframe = Timeframe.parse(name)
    assert timeframe.duration * timeframe.candles_per_day == timedelta(days=1)
    assert timeframe.milliseconds == timeframe.duration / timedelta(milliseconds=1)


@pytest.mark.parametrize("text", ["", "7m", "1w", "hour", "1H", "-1h", "1h1h"])
def test_an_unknown_timeframe_is_answered_with_the_known_ones(text):
    with pytest.raises(UsageError, match=r"timeframe .* is not known; choose one of 1m, .*, 1d"):
        Timeframe.parse(text)


@given(
    st.sampled_from(TIMEFRAMES),
    st.datetimes(min_value=datetime(2010, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_floor_of_a_moment_is_the_candle_that_holds_it(name, moment):
    timeframe = Timeframe.parse(name)
    open_time = timeframe.floor(moment)
    assert open_time <= moment < open_time + timeframe.duration
    assert timeframe.floor(open_time) == open_time


def test_the_floor_counts_in_utc_whatever_zone_the_moment_is_in():
    moment = datetime(2024, 1, 1, 3, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert Timeframe("1d").floor(moment) == datetime(2023, 12, 31, tzinfo=UTC)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="timezone aware"):
        Timeframe("1h").floor(datetime(2024, 1, 1))  # noqa: DTZ001
