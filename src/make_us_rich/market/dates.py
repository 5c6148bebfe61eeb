"""Dates as people type them; always UTC."""

import re
from datetime import UTC, datetime, timedelta

from make_us_rich.errors import UsageError

_SPAN = re.compile(r"(\d{1,5})([hd])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


def parse_moment(text: str) -> datetime:
    """Read a date or an ISO 8601 time; without an offset it is UTC.

    >>> parse_moment("2026-04-30").isoformat(), parse_moment("2026-04-30T03:00").isoformat()
    ('2026-04-30T00:00:00+00:00', '2026-04-30T03:00:00+00:00')
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"date {text!r} is not understood; write it like 2026-04-30 or 2026-04-30T03:00"
        ) from error


def parse_since(text: str, until: datetime) -> datetime:
    """Read a date, or a span such as `365d` or `48h` that ends at `until`.

    >>> parse_since("2d", datetime(2026, 4, 30, tzinfo=UTC)).isoformat()
    '2026-04-28T00:00:00+00:00'
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        return parse_moment(text)
    try:
        return until - int(match[1]) * _UNITS[match[2]]
    except OverflowError as error:
        raise UsageError(f"span {text!r} reaches before the year 1; choose a shorter one") from error


def format_moment(moment: datetime) -> str:
    """Write a UTC moment for people.

    >>> format_moment(datetime(2026, 4, 30, 3, tzinfo=UTC))
    '2026-04-30 03:00'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
