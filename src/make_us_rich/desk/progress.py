"""What is being done, on stderr: bars on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

_SECONDS_BETWEEN_LINES = 5.0


class ProgressReport:
    """A context in which tasks report how far they are; leaving it clears the bars.

    A plain line appears when a task starts and at most every five seconds after, so that a log stays short;
    a task without details says its end too, one with details has many ends.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bars = _bars(self._stream) if self._stream.isatty() else None
        self._said_at: dict[str, float] = {}
        self._bar_of: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def report(self, task: str, done: float, total: float, detail: str = "") -> None:
        """Say that `done` of `total` steps of a task are behind us, and what is being done just now."""
        if self._bars is not None:
            self._move_bar(self._bars, task, done, total, detail)
        elif self._is_due(task) or (done >= total and not detail):
            self.say(f"{task}: {done / total:.0%}{detail and f' ({detail})'}")

    def say(self, line: str) -> None:
        """Print one line, above the bars where there are any."""
        if self._bars is not None:
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            self._stream.write(f"{line}\n")  # in one piece, because threads and trainings write to it as well
            self._stream.flush()

    def _move_bar(self, bars: Progress, task: str, done: float, total: float, detail: str) -> None:
        if task not in self._bar_of:
            self._bar_of[task] = bars.add_task(task, detail=detail)
        bars.update(self._bar_of[task], completed=done, total=total, detail=detail)

    def _is_due(self, task: str) -> bool:
        now = time.monotonic()
        if now - self._said_at.get(task, float("-inf")) < _SECONDS_BETWEEN_LINES:
            return False
        self._said_at[task] = now
        return True


def _bars(stream: TextIO) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        console=Console(file=stream),
        transient=True,
    )
