"""Do something again and again on a thread of its own."""

import threading
from collections.abc import Callable

import structlog

_log = structlog.get_logger(__name__)


class Watch:
    """Calls a function every few seconds from `start` to `stop`, whatever one of its rounds runs into."""

    def __init__(self, name: str, work: Callable[[], None], seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the round under way."""
        self._stop.set()
        if self._thread.ident is not None:  # it was started
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._work()
            except Exception as error:  # the thread has to outlive whatever one round runs into
                _log.error("forecasts not refreshed", thread=self._thread.name, reason=str(error))
            self._stop.wait(self._seconds)
