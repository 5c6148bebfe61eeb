"""How long a candle lasts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from make_us_rich.errors import UsageError

_MINUTES = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30,
    "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480, "12h": 720, "1d": 1440,
}  # fmt: skip
TIMEFRAME_NAMES = tuple(_MINUTES)


@dataclass(frozen=True, slots=True)
class Timeframe:
    """The length of a candle; every allowed one divides a UTC day.

    >>> Timeframe.parse("4h").milliseconds
    14400000
    >>> Timeframe.parse("4h").candles_per_day
    6
    """

    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1h`, `15m`, `1d` …; raises `UsageError` for a length that is not offered."""
        name = text.strip()
        if name not in TIMEFRAME_NAMES:
            raise UsageError(f"timeframe {text!r} is not known; choose one of {', '.join(TIMEFRAME_NAMES)}")
        return cls(name)

    @property
    def minutes(self) -> int:
        """Length in minutes."""
        if self.name not in _MINUTES:
            raise ValueError(f"timeframe {self.name!r} was not made by Timeframe.parse")
        return _MINUTES[self.name]

    @property
    def milliseconds(self) -> int:
        """Length in milliseconds, the unit of stored times."""
        return self.minutes * 60_000

    @property
    def duration(self) -> timedelta:
        """Length as a `timedelta`."""
        return timedelta(minutes=self.minutes)

    @property
    def candles_per_day(self) -> int:
        """Candles in a UTC day, at least 1."""
        return 1440 // self.minutes

    def floor(self, moment: datetime) -> datetime:
        """Return the open time of the candle that holds `moment`, which must be aware."""
        if moment.tzinfo is None:
            raise ValueError("moment must be timezone aware")
        step = self.milliseconds
        return datetime.fromtimestamp(int(moment.timestamp() * 1000) // step * step / 1000, UTC)

    def __str__(self) -> str:
        return self.name
