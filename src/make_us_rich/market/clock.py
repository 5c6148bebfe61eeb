"""What time it is: on the wall, or in a replay of the past."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The only place the desk learns the time from, so that a replay runs the same code as live."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        ...

    def sleep_until(self, moment: datetime, stop: threading.Event) -> bool:
        """Wait for a moment; False means that `stop` was set, or that this clock ends before it."""
        ...


class WallClock:
    """Real time."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)

    def sleep_until(self, moment: datetime, stop: threading.Event) -> bool:
        """Wait until the moment has come."""
        # in short waits, because somebody may set the wall clock meanwhile
        while (remaining := (moment - self.now()).total_seconds()) > 0:
            if stop.wait(min(remaining, 60.0)):
                return False
        return not stop.is_set()


class ReplayClock:
    """Time in a recording: from `start`, never beyond `until`.

    `speed` is simulated seconds per real second. None is as fast as possible: time stands still until
    somebody waits for a moment, and then jumps there.

    >>> clock = ReplayClock(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC), speed=None)
    >>> clock.sleep_until(datetime(2024, 1, 1, 5, tzinfo=UTC), threading.Event()), clock.now().hour
    (True, 5)
    """

    def __init__(
        self,
        start: datetime,
        until: datetime,
        speed: float | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if start.tzinfo is None or until.tzinfo is None:
            raise ValueError("start and until must be timezone aware")
        if until < start:
            raise ValueError("until must not lie before start")
        if speed is not None and speed <= 0:
            raise ValueError("speed must be positive")
        self._until = until
        self._speed = speed
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._moment = start
        self._read_at = monotonic()
        self._is_held = False

    def now(self) -> datetime:
        """Return the simulated moment."""
        with self._lock:
            return self._advance()

    def sleep_until(self, moment: datetime, stop: threading.Event) -> bool:
        """Wait for the moment, or jump to it; beyond `until` the clock stops and the answer is False."""
        target = min(moment, self._until)
        if self._speed is None:
            if not stop.is_set():
                self._jump(target)
        elif not self._wait(target, self._speed, stop):
            return False
        return moment <= self._until and not stop.is_set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stop the simulated time for the length of a block, so that slow work costs none of it."""
        with self._lock:
            moment = self._advance()
            self._is_held = True
        try:
            yield
        finally:
            with self._lock:
                self._moment, self._read_at, self._is_held = moment, self._monotonic(), False

    def _advance(self) -> datetime:
        if self._speed is not None and not self._is_held:
            read_at = self._monotonic()
            passed = timedelta(seconds=(read_at - self._read_at) * self._speed)
            self._moment = min(self._moment + passed, self._until)
            self._read_at = read_at
        return self._moment

    def _jump(self, target: datetime) -> None:
        with self._lock:
            self._moment = max(self._moment, target)

    def _wait(self, target: datetime, speed: float, stop: threading.Event) -> bool:
        while (remaining := (target - self.now()).total_seconds()) > 0:
            if stop.wait(max(remaining / speed, 1e-3)):
                return False
        return True
