"""Where an axis is marked: round numbers, and round moments in UTC."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_TIME_STEPS = (
    *(minutes * 60_000 for minutes in (1, 5, 15, 30)),
    *(hours * _HOUR for hours in (1, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 5, 10)),
)
_MONTH = 30.4 * _DAY
_MONTH_STEPS = (1, 3, 6, 12, 24, 60)


@dataclass(frozen=True, slots=True)
class Tick:
    """A marked value; a strong one is the yardstick the others are read against."""

    value: float
    label: str
    is_strong: bool = False


def round_ticks(
    low: float, high: float, write: Callable[[float], str], n: int = 5, strong: float | None = None
) -> tuple[Tick, ...]:
    """Return about `n` ticks at multiples of 1, 2, 2.5 or 5 times a power of ten within the range.

    >>> [t.label for t in round_ticks(-0.3, 10.2, "{:g}".format)]
    ['0', '2.5', '5', '7.5', '10']
    """
    raw = (high - low) / n
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [round(k * step, 12) + 0.0 for k in range(first, last + 1)]
    return tuple(
        Tick(v, write(v), strong is not None and math.isclose(v, strong, abs_tol=step / 1e6)) for v in values
    )


def time_ticks(start_ms: float, end_ms: float, n: int = 8) -> tuple[Tick, ...]:
    """Return at most about `n` round moments between two times, as dates, or hours where they are close."""
    step = next((s for s in _TIME_STEPS if (end_ms - start_ms) / s <= n), None)
    if step is None:
        return _month_ticks(start_ms, end_ms, n)
    first = math.ceil(start_ms / step)
    moments = [k * step for k in range(first, math.floor(end_ms / step) + 1)]
    return tuple(Tick(float(ms), _written(ms, step)) for ms in moments)


def _month_ticks(start_ms: float, end_ms: float, n: int) -> tuple[Tick, ...]:
    step = next((s for s in _MONTH_STEPS if (end_ms - start_ms) / (s * _MONTH) <= n), _MONTH_STEPS[-1])
    year = datetime.fromtimestamp(start_ms / 1000, UTC).year
    last = datetime.fromtimestamp(end_ms / 1000, UTC).year
    firsts = [
        datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
        for month in range(year * 12, (last + 1) * 12)
        if month % step == 0
    ]
    form = "%Y" if step % 12 == 0 else "%b %Y"
    ticks = [Tick(day.timestamp() * 1000, day.strftime(form)) for day in firsts]
    return tuple(tick for tick in ticks if start_ms <= tick.value <= end_ms)


def _written(milliseconds: int, step: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    if step >= _DAY or moment.hour + moment.minute == 0:
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M}"
