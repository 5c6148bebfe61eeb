"""What is being done, on stderr: bars on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from make_us_rich.operations.progress import PlainLines, Step


class ProgressReport:
    """A context in which tasks report how far they are; leaving it clears the bars."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = stream or sys.stderr
        self._lines = PlainLines(stream)
        self._bars = _bars(stream) if stream.isatty() else None
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

    def __call__(self, news: Step | str) -> None:
        """Show a step, or say a line above the bars."""
        if self._bars is None:
            self._lines(news)
        elif isinstance(news, str):
            self._bars.console.print(news, markup=False, highlight=False, soft_wrap=True)
        else:
            self._move_bar(self._bars, news)

    def report(self, task: str, done: float, total: float, detail: str = "") -> None:
        """Say that `done` of `total` steps of a task are behind us, and what is being done just now."""
        self(Step(task, done, total, detail))

    def say(self, line: str) -> None:
        """Print one line, above the bars where there are any."""
        self(line)

    def _move_bar(self, bars: Progress, step: Step) -> None:
        if step.task not in self._bar_of:
            self._bar_of[step.task] = bars.add_task(step.task, detail=step.detail)
        bars.update(self._bar_of[step.task], completed=step.done, total=step.total, detail=step.detail)


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
