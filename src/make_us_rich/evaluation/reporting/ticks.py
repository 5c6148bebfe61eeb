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
    *(days * _DAY for days in (1, 2, 5, 10, 30, 90, 365)),
)


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
    step = next((s for s in _TIME_STEPS if (end_ms - start_ms) / s <= n), _TIME_STEPS[-1])
    first = math.ceil(start_ms / step)
    moments = [k * step for k in range(first, math.floor(end_ms / step) + 1)]
    return tuple(Tick(float(ms), _written(ms, step)) for ms in moments)


def _written(milliseconds: int, step: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    if step >= 365 * _DAY:
        return f"{moment:%Y}"
    if step >= 30 * _DAY:
        return f"{moment:%b %Y}"
    return (
        f"{moment.day} {moment:%b}" if step >= _DAY or moment.hour + moment.minute == 0 else f"{moment:%H:%M}"
    )
