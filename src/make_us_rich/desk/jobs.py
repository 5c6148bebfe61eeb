"""Trainings beside the running desk: one at a time, in a process of its own, never in the way of a candle."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from make_us_rich.desk.retraining import TrainingOrder
from make_us_rich.desk.training import Training, TrainingOutcome
from make_us_rich.events.bus import Bus
from make_us_rich.events.records import TrainingChanged

_BETWEEN_LOOKS_SECONDS = 0.05

StartTraining = Callable[[TrainingOrder], Training]


class TrainingQueue:
    """Orders in, one process after another, and what came of each said on the bus."""

    def __init__(self, market: str, start: StartTraining, bus: Bus) -> None:
        self._market = market
        self._start = start
        self._bus = bus
        self._waiting: list[TrainingOrder] = []
        self._running: Training | None = None
        self._lock = threading.Lock()
        self.tried: set[str] = set()

    def order(self, orders: Sequence[TrainingOrder], now: datetime) -> None:
        """Add trainings, each once, and begin the first one if none is running."""
        with self._lock:
            for order in orders:
                if order.name not in self.tried:
                    self.tried.add(order.name)
                    self._waiting.append(order)
            self._begin_next(now)

    def collect(self, now: datetime) -> None:
        """Say what came of a training that has ended, and begin the next one."""
        with self._lock:
            self._collect(now)

    def wait(self, stop: threading.Event, now: datetime) -> None:
        """Wait until every training has ended, or `stop` is set."""
        while self._running is not None and not stop.is_set():
            if not self._running.is_over():
                stop.wait(_BETWEEN_LOOKS_SECONDS)
                continue
            self.collect(now)

    def cancel(self) -> None:
        """End what runs and forget what waits; the shelf ignores a half-written artifact."""
        with self._lock:
            self._waiting.clear()
            if self._running is not None:
                self._running.cancel()
                self._running = None

    def _collect(self, now: datetime) -> None:
        if self._running is None or not self._running.is_over():
            return
        for outcome in self._running.outcomes():
            self._bus.publish(_ended(self._market, outcome, now))
        self._running = None
        self._begin_next(now)

    def _begin_next(self, now: datetime) -> None:
        if self._running is not None or not self._waiting:
            return
        order = self._waiting.pop(0)
        self._bus.publish(
            TrainingChanged(self._market, now, order.name, "begun", None, False, (order.reason,))
        )
        self._running = self._start(order)


def _ended(market: str, outcome: TrainingOutcome, now: datetime) -> TrainingChanged:
    return TrainingChanged(
        market,
        now,
        outcome.name,
        "failed" if outcome.version is None else "trained",
        outcome.version,
        outcome.promoted,
        outcome.reasons,
    )
