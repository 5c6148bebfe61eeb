"""How much may still be asked of a source, shared by every process of the desk."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from make_us_rich.errors import SourceUnavailableError, StoreError
from make_us_rich.market.clock import Clock, WallClock
from make_us_rich.market.files import disk_errors_named

_LOCK_TIMEOUT_SECONDS = 30.0
_SLICES = 60
_LONGEST_PAUSE_SECONDS = 3 * 86_400.0
_WINDOWS = {60: ("this minute", "a minute"), 86_400: ("today", "a day")}


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `limit` units of weight in any minute or day, of which this desk takes a `share`."""

    seconds: Literal[60, 86_400]
    limit: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class BudgetReading:
    """What is left of one allowance at one moment."""

    source: str
    seconds: int
    limit: float
    used: float
    paused_until: datetime | None

    @property
    def remaining(self) -> float:
        """Weight that may still be spent within the window."""
        return max(self.limit - self.used, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the reading in plain values."""
        return asdict(self) | {"remaining": self.remaining}

    def __str__(self) -> str:
        left = f"{self.remaining:,.0f} of {self.limit:,.0f} request weight left {_WINDOWS[self.seconds][0]}"
        pause = f", paused until {self.paused_until:%Y-%m-%d %H:%M:%S} UTC" if self.paused_until else ""
        return f"{self.source}: {left}{pause}"


class RequestBudget:
    """A ledger in one small file: what was spent lately, when the next request may go, and any pause.

    The windows roll, so no burst at the turn of a minute breaks a limit. What the source itself says was
    used counts if it is more, because others may ask from the same address.
    """

    def __init__(
        self,
        path: Path,
        allowances: tuple[Allowance, ...],
        *,
        longest_wait_seconds: float = 120.0,
        clock: Clock | None = None,
    ) -> None:
        self._path = path
        self._allowances = allowances
        self._longest_wait_seconds = longest_wait_seconds
        self._clock = clock or WallClock()

    @property
    def source(self) -> str:
        """Name of the source the budget is for."""
        return self._path.stem

    def spend(self, weight: float = 1.0, *, spacing_seconds: float = 0.0) -> None:
        """Wait until the weight may be spent, and book it; the next request comes at least a spacing later.

        A wait beyond the longest is a `SourceUnavailableError` that says when there is room again.
        """
        while True:
            with self._ledger() as ledger:
                wait, why = self._wait(ledger, weight)
                if not wait:
                    wait = self._book(ledger, weight, spacing_seconds)
                    break
            self._sleep(wait, why)
        self._sleep(wait, why)

    def report_used(self, seconds: int, used: float) -> None:
        """Take note of what the source says was used of an allowance."""
        with self._ledger() as ledger:
            known = ledger.used(seconds, self._now())
            if used > known:
                ledger.book(seconds, self._now(), used - known)

    def report_limit(self, seconds: int, limit: float) -> None:
        """Take note of the limit the source states for an allowance."""
        with self._ledger() as ledger:
            ledger.limits[str(seconds)] = limit

    def report_pause(self, seconds: float) -> None:
        """Keep every process from asking for a time, because the source said so."""
        with self._ledger() as ledger:
            now = self._now()
            ledger.paused_until = now + max(ledger.pause(now), min(seconds, _LONGEST_PAUSE_SECONDS))

    def readings(self) -> list[BudgetReading]:
        """Return what is left of each allowance; nothing is written."""
        ledger, now = _read(self._path), self._now()
        pause = ledger.pause(now)
        return [
            BudgetReading(
                source=self.source,
                seconds=allowance.seconds,
                limit=ledger.limit(allowance),
                used=ledger.used(allowance.seconds, now),
                paused_until=datetime.fromtimestamp(now + pause, UTC) if pause else None,
            )
            for allowance in self._allowances
        ]

    def _wait(self, ledger: "_Ledger", weight: float) -> tuple[float, str]:
        now = self._now()
        wait, why = ledger.pause(now), "the source asked for a pause"
        for allowance in self._allowances:
            needed = ledger.wait(allowance, weight, now)
            if needed > wait:
                limit = ledger.limit(allowance)
                wait, why = (
                    needed,
                    f"the weight of {limit:,.0f} allowed {_WINDOWS[allowance.seconds][1]} is used",
                )
        return wait, why

    def _book(self, ledger: "_Ledger", weight: float, spacing_seconds: float) -> float:
        now = self._now()
        for allowance in self._allowances:
            ledger.book(allowance.seconds, now, weight)
        # a turn that lies far ahead was noted by a clock that was wrong
        turn = ledger.next_at if now <= ledger.next_at <= now + self._longest_wait_seconds else now
        ledger.next_at = turn + spacing_seconds
        return turn - now

    def _sleep(self, seconds: float, why: str) -> None:
        moment = self._clock.now() + timedelta(seconds=seconds)
        if seconds > self._longest_wait_seconds:
            raise SourceUnavailableError(
                f"{self.source}: {why}; what was fetched is kept, try again after {moment:%Y-%m-%d %H:%M} UTC"
            )
        if seconds > 0:
            self._clock.sleep_until(moment, threading.Event())

    def _now(self) -> float:
        return self._clock.now().timestamp()

    @contextmanager
    def _ledger(self) -> Iterator["_Ledger"]:
        with disk_errors_named(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_TIMEOUT_SECONDS):
                    ledger = _read(self._path)
                    yield ledger
                    # without waiting for the disk: the worst a power cut costs is a minute's account
                    unfinished = self._path.with_suffix(".tmp")
                    unfinished.write_text(json.dumps(asdict(ledger)))
                    unfinished.replace(self._path)
            except Timeout as error:
                raise StoreError(
                    f"{self._path}: held by another process for {_LOCK_TIMEOUT_SECONDS:.0f} s; stop it"
                ) from error


@dataclass(slots=True)
class _Ledger:
    """Weight per slice of time, by window; a slice is a sixtieth of its window."""

    spent: dict[str, dict[str, float]] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    next_at: float = 0.0
    paused_until: float = 0.0

    def pause(self, now: float) -> float:
        left = self.paused_until - now
        # one longer than any that is asked for was noted by a clock that was wrong
        return left if 0 < left <= _LONGEST_PAUSE_SECONDS else 0.0

    def limit(self, allowance: Allowance) -> float:
        return self.limits.get(str(allowance.seconds), allowance.limit)

    def book(self, seconds: int, now: float, weight: float) -> None:
        slices = self._recent(seconds, now)
        slot = str(_slice(seconds, now))
        slices[slot] = slices.get(slot, 0.0) + weight
        self.spent[str(seconds)] = slices

    def used(self, seconds: int, now: float) -> float:
        return sum(self._recent(seconds, now).values())

    def wait(self, allowance: Allowance, weight: float, now: float) -> float:
        """Seconds until `weight` fits; a weight above the whole limit waits for an empty window."""
        slices = self._recent(allowance.seconds, now)
        excess = sum(slices.values()) + weight - self.limit(allowance) * allowance.share
        if excess <= 0 or not slices:
            return 0.0
        slot = 0
        for slot in sorted(map(int, slices)):
            excess -= slices[str(slot)]
            if excess <= 0:
                break
        return (slot + _SLICES + 1) * allowance.seconds / _SLICES - now

    def _recent(self, seconds: int, now: float) -> dict[str, float]:
        current = _slice(seconds, now)
        kept = self.spent.get(str(seconds), {})
        # the later end keeps out what was noted by a clock that was wrong
        return {slot: weight for slot, weight in kept.items() if current - _SLICES <= int(slot) <= current}


def _slice(seconds: int, now: float) -> int:
    return int(now // (seconds / _SLICES))


def _read(path: Path) -> _Ledger:
    try:
        return _Ledger(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return _Ledger()  # none yet, or of no use
