from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.evaluation.reporting.ticks import round_ticks, time_ticks


def milliseconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000


@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6))
def test_a_few_round_ticks_lie_within_any_range(low, width):
    ticks = round_ticks(low, low + width, str)
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-6 * width <= tick.value <= low + width + 1e-6 * width for tick in ticks)


def test_zero_is_written_without_a_sign_and_marked_as_the_yardstick():
    ticks = round_ticks(-1.1, 1.1, "{:g}".format, strong=0.0)
    assert [(t.label, t.is_strong) for t in ticks] == [
        ("-1", False),
        ("-0.5", False),
        ("0", True),
        ("0.5", False),
        ("1", False),
    ]


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        ("2025-01-01T05:00", "2025-01-01T13:00", ["06:00", "09:00", "12:00"]),
        ("2024-12-31T20:00", "2025-01-01T07:00", ["21:00", "1 Jan", "03:00", "06:00"]),
        ("2025-01-01T05:00", "2025-01-04T13:00", ["2 Jan", "3 Jan", "4 Jan"]),
        ("2024-05-01T00:00", "2024-08-20T00:00", ["May 2024", "Jun 2024", "Jul 2024", "Aug 2024"]),
        ("2024-05-01T00:00", "2026-04-20T00:00", ["Jul 2024", "Jan 2025", "Jul 2025", "Jan 2026"]),
        ("2021-05-01T00:00", "2024-04-20T00:00", ["2022", "2023", "2024"]),
    ],
)
def test_moments_are_round_and_written_in_utc(start, end, labels):
    ticks = time_ticks(milliseconds(start), milliseconds(end), 4)
    assert [tick.label for tick in ticks] == labels


def test_a_month_is_marked_on_its_first_day():
    ticks = time_ticks(milliseconds("2024-05-17T00:00"), milliseconds("2026-04-20T00:00"), 4)
    assert [tick.value for tick in ticks][:2] == [milliseconds("2024-07-01"), milliseconds("2025-01-01")]
