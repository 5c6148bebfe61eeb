"""What a source has to say about itself: how much may still be asked, its clock, and what it left out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable

from make_us_rich.market.budget import BudgetReading

_LINES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding about a file, with the numbers of the lines it concerns."""

    text: str
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.lines:
            return self.text
        shown = ", ".join(str(line) for line in self.lines[:_LINES_SHOWN])
        more = len(self.lines) - _LINES_SHOWN
        return f"{self.text}: line{'s' * (len(self.lines) > 1)} {shown}{f' and {more} more' * (more > 0)}"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The state of a source after it was asked; `clock_offset` is how far its clock is ahead of ours."""

    budget: tuple[BudgetReading, ...] = ()
    clock_offset: timedelta | None = None
    remarks: tuple[Remark, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the status in plain values."""
        offset = self.clock_offset
        return {
            "budget": [reading.to_dict() for reading in self.budget],
            "clock_offset_seconds": offset.total_seconds() if offset is not None else None,
            "remarks": [{"text": remark.text, "lines": list(remark.lines)} for remark in self.remarks],
        }

    def sentences(self) -> list[str]:
        """Say what a person should know: first what was found, then what may still be asked."""
        return [*map(str, self.remarks), *map(str, self.budget)]


@runtime_checkable
class SourceWithStatus(Protocol):
    """A source that can tell its status; the others need not."""

    def status(self) -> SourceStatus:
        """Return the status without asking anything of anybody."""
        ...


def source_status(source: object) -> SourceStatus:
    """Return the status of a source, an empty one where it has none to tell."""
    return source.status() if isinstance(source, SourceWithStatus) else SourceStatus()
