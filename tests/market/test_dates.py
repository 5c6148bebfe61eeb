from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.desk.plan import parse_speed
from make_us_rich.errors import UsageError
from make_us_rich.market.dates import format_moment, parse_moment, parse_since
from make_us_rich.operations.history import SpanQuery

UNTIL = datetime(2026, 4, 30, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_written_as_iso_is_read_back(moment):
    assert parse_moment(moment.isoformat()) == moment


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_an_offset_is_turned_into_utc(local, hours):
    moment = local.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert parse_moment(moment.isoformat()) == moment
    assert parse_moment(moment.isoformat()).tzinfo is UTC


@given(st.integers(0, 99_999), st.sampled_from(["h", "d"]))
def test_a_span_ends_at_until(number, unit):
    length = timedelta(hours=number) if unit == "h" else timedelta(days=number)
    assert parse_since(f"{number}{unit}", UNTIL) == UNTIL - length


@given(st.text(max_size=12))
def test_any_text_is_a_moment_or_a_usage_error(text):
    try:
        moment = parse_since(text, UNTIL)
    except UsageError:
        return
    assert moment.tzinfo is UTC


def test_a_span_before_the_calendar_is_refused():
    with pytest.raises(UsageError, match="choose a shorter one"):
        parse_since("99999d", datetime(100, 1, 1, tzinfo=UTC))


def test_people_read_minutes():
    assert format_moment(datetime(2026, 4, 30, 5, tzinfo=timezone(timedelta(hours=2)))) == "2026-04-30 03:00"


def test_a_query_never_reaches_beyond_the_end_of_candles():
    span = SpanQuery("10d", "2027-01-01", UNTIL).resolve(UNTIL)
    assert (span.since, span.until) == (UNTIL - timedelta(days=10), UNTIL)


def test_an_empty_span_names_both_ends():
    with pytest.raises(UsageError, match="between 2026-05-01 00:00 and 2026-04-30 00:00"):
        SpanQuery("2026-05-01", None, UNTIL).resolve(UNTIL)


@pytest.mark.parametrize("text", ["0", "-1", "fast", "nan", "inf", ""])
def test_a_speed_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="or max"):
        parse_speed(text)
