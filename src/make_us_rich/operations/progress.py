"""How far something is, told to whoever wants to show it."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

_SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """`done` of `total` steps of a task are behind us; `detail` is what is being done just now."""

    task: str
    done: float
    total: float
    detail: str = ""


Progress = Callable[[Step | str], None]
"""Gets every step, and as text every line that has to be said beside the result."""


def unwatched(_: Step | str) -> None:
    """Tell nobody."""


class PlainLines:
    """Progress as plain lines, on stderr by default.

    A line appears when a task starts and at most every five seconds after, so that a log stays short; a task
    without details says its end too, one with details has many ends.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._said_at: dict[str, float] = {}

    def __call__(self, news: Step | str) -> None:
        """Say a line, or a step if it is time to."""
        if isinstance(news, str):
            self._stream.write(f"{news}\n")  # in one piece, because threads and trainings write to it too
            self._stream.flush()
        elif self._is_due(news.task) or (news.done >= news.total and not news.detail):
            self(f"{news.task}: {news.done / news.total:.0%}{news.detail and f' ({news.detail})'}")

    def _is_due(self, task: str) -> bool:
        now = time.monotonic()
        if now - self._said_at.get(task, float("-inf")) < _SECONDS_BETWEEN_LINES:
            return False
        self._said_at[task] = now
        return True
