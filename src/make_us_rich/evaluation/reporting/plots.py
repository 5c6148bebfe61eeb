"""Small SVG drawings as text: marks and axes, with colours and strokes left to the style of the page.

A mark carries classes (`line candidate`): the first says what it is, the second whose it is. No drawing
library, no script, no address: the text goes into a page as it is. Points that are not finite are left out.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from make_us_rich.evaluation.reporting.ticks import Tick

Points = Iterable[tuple[float, float]]

_CHARACTER = 6.2  # mean width at 12 pixels


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of numbers: `low` and `high` lie at the ends of the panel, ticks in between."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the drawing, in its own pixels from the top left."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Panel:
    """A pair of axes in a box."""

    box: Box
    x: Axis
    y: Axis

    def across(self, value: float) -> float:
        """Return where a value of x lies, in pixels from the left of the drawing."""
        return self.box.left + self.box.width * _share(value, self.x)

    def down(self, value: float) -> float:
        """Return where a value of y lies, in pixels from the top of the drawing."""
        return self.box.top + self.box.height * (1 - _share(value, self.y))


def padded_range(
    values: Iterable[float], share: float = 0.06, around: float | None = None
) -> tuple[float, float]:
    """Return the range of the finite values with a margin; never empty, symmetric if `around` a value.

    >>> padded_range([0.0, 10.0], share=0.1)
    (-1.0, 11.0)
    >>> padded_range([3.0, 3.0])
    (2.0, 4.0)
    """
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    if around is not None:
        reach = max(high - around, around - low)
        low, high = around - reach, around + reach
    if high <= low:
        half = abs(low) / 3 or 1.0
        return low - half, high + half
    return low - share * (high - low), high + share * (high - low)


def line(panel: Panel, points: Points, css: str) -> str:
    """Draw a line through the points."""
    path = _path(panel, points)
    return f'<path class="line {css}" d="M{path}"/>' if path else ""


def band(panel: Panel, lower: Sequence[tuple[float, float]], upper: Points, css: str) -> str:
    """Fill the space between two lines."""
    path = _path(panel, [*lower, *reversed(list(upper))])
    return f'<path class="band {css}" d="M{path}Z"/>' if path else ""


def dots(panel: Panel, points: Points, css: str, radius: float = 3.0, titles: Iterable[str] = ()) -> str:
    """Draw a dot at each point; titles, if given, show where the pointer rests."""
    named = list(titles)
    drawn = []
    for i, (x, y) in enumerate(points):
        if math.isfinite(x) and math.isfinite(y):
            place = f'cx="{panel.across(x):.1f}" cy="{panel.down(y):.1f}" r="{radius:g}"'
            drawn.append(f"<circle {place}>{_title(named[i])}</circle>" if named else f"<circle {place}/>")
    return f'<g class="dot {css}">{"".join(drawn)}</g>' if drawn else ""


def bars(panel: Panel, points: Points, width: float, css: str, titles: Iterable[str] = ()) -> str:
    """Draw a bar from 0 to each point, `width` in units of x."""
    named = list(titles)
    drawn = []
    for i, (x, y) in enumerate(points):
        if math.isfinite(x) and math.isfinite(y):
            left, right = panel.across(x - width / 2), panel.across(x + width / 2)
            top, bottom = sorted((panel.down(y), panel.down(0.0)))
            place = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
            drawn.append(f"<rect {place}>{_title(named[i])}</rect>" if named else f"<rect {place}/>")
    return f'<g class="bar {css}">{"".join(drawn)}</g>' if drawn else ""


def whiskers(panel: Panel, spans: Iterable[tuple[float, float, float]], css: str, cap: float = 3.0) -> str:
    """Draw an error bar for each (x, low, high), cut off at the edges of the panel."""
    drawn = []
    for x, low, high in spans:
        if math.isfinite(x) and math.isfinite(low) and math.isfinite(high):
            a, bottom, top = (
                panel.across(x),
                panel.down(max(low, panel.y.low)),
                panel.down(min(high, panel.y.high)),
            )
            drawn.append(
                f"M{a:.1f} {bottom:.1f}V{top:.1f}M{a - cap:.1f} {bottom:.1f}h{2 * cap:g}"
                f"M{a - cap:.1f} {top:.1f}h{2 * cap:g}"
            )
    return f'<path class="whisker {css}" d="{"".join(drawn)}"/>' if drawn else ""


def axes(panel: Panel, title: str, *, with_y_labels: bool = True) -> str:
    """Draw the grid, the tick labels, the name of the x axis and a title above the panel."""
    box, bottom = panel.box, panel.box.top + panel.box.height
    parts = [text(box.left, box.top - 10, title, "heading")]
    for tick in panel.y.ticks:
        y = panel.down(tick.value)
        css = "grid zero" if tick.is_strong else "grid"
        parts.append(f'<path class="{css}" d="M{box.left:.1f} {y:.1f}h{box.width:.1f}"/>')
        if with_y_labels:
            parts.append(text(box.left - 7, y + 4, tick.label, "tick end"))
    for tick in panel.x.ticks:
        x = panel.across(tick.value)
        parts.append(f'<path class="mark" d="M{x:.1f} {bottom:.1f}v4"/>')
        parts.append(text(x, bottom + 17, tick.label, "tick middle"))
    parts.append(f'<path class="frame" d="M{box.left:.1f} {bottom:.1f}h{box.width:.1f}"/>')
    if panel.x.name:
        parts.append(text(box.left + box.width / 2, bottom + 36, panel.x.name, "middle"))
    return "".join(parts)


def legend(entries: Sequence[tuple[str, str, str]], place: Box, gap: float = 18) -> tuple[str, float]:
    """Draw a legend of (shape, class, words), wrapped to the width of `place`; return it and its height.

    Shapes are "line", "band", "dot", "bar" and "whisker".
    """
    parts = []
    x, row = place.left, 0
    for shape, css, words in entries:
        width = 26 + len(words) * _CHARACTER
        if x > place.left and x + width > place.left + place.width:
            x, row = place.left, row + 1
        y = place.top + 8 + row * 19
        parts.append(_key(shape, css, x, y) + text(x + 26, y + 4, words, "key"))
        x += width + gap
    return "".join(parts), 19.0 * (row + 1)


def text(x: float, y: float, words: str, css: str) -> str:
    """Write words at a point; classes `middle` and `end` set how they are anchored."""
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def clipped(panel: Panel, *marks: str) -> str:
    """Put marks in a window of the size of the panel, so that none leaves it."""
    box = panel.box
    place = f'x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    view = f"{box.left:.1f} {box.top:.1f} {box.width:.1f} {box.height:.1f}"
    return f'<svg {place} viewBox="{view}">{"".join(marks)}</svg>'


def drawing(width: float, height: float, description: str, *parts: str) -> str:
    """Return the whole drawing; `description` is read out and shown where the pointer rests."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(description)}">'
        f"{_title(description)}{''.join(parts)}</svg>"
    )


def tiled(place: Box, columns: int, rows: int, gap: tuple[float, float]) -> list[Box]:
    """Cut a box into equal ones, row by row, with gaps (across, down) between them."""
    width = (place.width - gap[0] * (columns - 1)) / columns
    height = (place.height - gap[1] * (rows - 1)) / rows
    return [
        Box(place.left + column * (width + gap[0]), place.top + row * (height + gap[1]), width, height)
        for row in range(rows)
        for column in range(columns)
    ]


def _share(value: float, axis: Axis) -> float:
    return (value - axis.low) / (axis.high - axis.low)


def _path(panel: Panel, points: Points) -> str:
    return "L".join(
        f"{panel.across(x):.1f} {panel.down(y):.1f}"
        for x, y in points
        if math.isfinite(x) and math.isfinite(y)
    )


def _title(words: str) -> str:
    return f"<title>{escape(words)}</title>"


def _key(shape: str, css: str, x: float, y: float) -> str:
    match shape:
        case "band" | "bar":
            return f'<rect class="{shape} {css}" x="{x:.1f}" y="{y - 6:.1f}" width="20" height="12"/>'
        case "dot":
            return f'<circle class="dot {css}" cx="{x + 10:.1f}" cy="{y:.1f}" r="3.5"/>'
        case "whisker":
            path = f"M{x + 10:.1f} {y - 7:.1f}v14m-3 0h6m-6 -14h6"
            return f'<path class="whisker {css}" d="{path}"/>'
        case _:
            return f'<path class="line {css}" d="M{x:.1f} {y:.1f}h20"/>'
