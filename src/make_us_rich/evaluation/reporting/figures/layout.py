"""What the figures share: sizes, panels below a legend, axes in percent, intervals that may be unknown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from make_us_rich.evaluation.diagnostics import Estimate
from make_us_rich.evaluation.reporting.facts import ReportFacts
from make_us_rich.evaluation.reporting.numbers import percent
from make_us_rich.evaluation.reporting.plots import Axis, Box, legend, text, tiled
from make_us_rich.evaluation.reporting.ticks import round_ticks

Point = tuple[float, float]
LEFT, RIGHT, BOTTOM = 56.0, 10.0, 30.0
_AXIS_NAME = 22.0


@dataclass(frozen=True, slots=True)
class FigureSize:
    """How wide a drawing is, how high its panels are and in how many columns they stand."""

    width: float
    panel_height: float
    columns: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The drawn legend, a box per panel, and the height of the whole drawing."""

    legend: str
    boxes: tuple[Box, ...]
    height: float


def layout(
    entries: Sequence[tuple[str, str, str]], n_panels: int, size: FigureSize, *, named: bool
) -> Layout:
    """Place panels in rows below a legend, `named` ones with room for the name of their x axis."""
    keys, key_height = legend(entries, Box(10, 4, size.width - 10, 0))
    columns = min(size.columns, n_panels)
    rows = math.ceil(n_panels / columns)
    top, gap = key_height + 40, 62.0
    height = rows * size.panel_height + (rows - 1) * gap
    place = Box(LEFT, top, size.width - LEFT - RIGHT, height)
    boxes = tiled(place, columns, rows, (18.0, gap))[:n_panels]
    return Layout(keys, tuple(boxes), top + height + BOTTOM + (_AXIS_NAME if named else 0))


def percent_axis(
    low: float, high: float, *, strong: float = 0.0, name: str = "", signed: bool = True
) -> Axis:
    """Return an axis of shares written in percent; the line of the yardstick is drawn strong."""
    values = [100 * tick.value for tick in round_ticks(low, high, str)]
    digits = next(d for d in range(12) if all(math.isclose(v, round(v, d), abs_tol=1e-9) for v in values))

    def write(value: float) -> str:
        return percent(value, digits, signed=signed)

    return Axis(low, high, round_ticks(low, high, write, strong=strong), name)


def stamp(facts: ReportFacts, width: float, height: float) -> str:
    """Return SIMULATED across the drawing where the market is, so that a copied figure still says it."""
    return text(width / 2, height / 2, "SIMULATED", "stamp middle") if facts.notice else ""


def spans(points: Sequence[Point], estimates: Sequence[Estimate]) -> list[tuple[float, float, float]]:
    """Return (x, low, high) of each interval; unknown ones are left out when drawn."""
    return [(x, y - e.half_width, y + e.half_width) for (x, y), e in zip(points, estimates, strict=True)]


def reach(value: float, estimate: Estimate) -> tuple[float, float]:
    """Return the ends of an interval around `value`, or the value itself where it is unknown."""
    half_width = estimate.half_width if math.isfinite(estimate.half_width) else 0.0
    return value - half_width, value + half_width
