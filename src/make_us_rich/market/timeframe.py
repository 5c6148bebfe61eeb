"""How long a candle lasts."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from make_us_rich.errors import UsageError

_MINUTES = {"m": 1, "h": 60, "d": 1440}
TIMEFRAME_NAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")


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
        match = re.fullmatch(r"(\d+)([mhd])", self.name)
        if match is None:
            raise ValueError(f"timeframe {self.name!r} was not made by Timeframe.parse")
        return int(match[1]) * _MINUTES[match[2]]

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
