"""Width against realised move: whether wide intervals are followed by large moves."""

from make_us_rich.evaluation.diagnostics import WidthBin
from make_us_rich.evaluation.reporting.facts import ReportFacts
from make_us_rich.evaluation.reporting.figures.layout import FigureSize, layout, percent_axis, reach, stamp
from make_us_rich.evaluation.reporting.numbers import ahead, count, percent, plus_minus
from make_us_rich.evaluation.reporting.plots import (
    Panel,
    axes,
    clipped,
    dots,
    drawing,
    line,
    padded_range,
    whiskers,
)

_YARDSTICK = "persistence"


def widths_figure(facts: ReportFacts, size: FigureSize) -> str:
    """Draw the mean move after each tenth of the forecasts, narrow to wide; a level row of dots is blind."""
    own, naive = facts.candidate_records[0].move_by_width, facts.records[_YARDSTICK][0].move_by_width
    keys = (
        ("dot", "candidate", facts.subject.candidate),
        ("whisker", "candidate", "95 % interval"),
        ("dot", "persistence", _YARDSTICK),
        ("line", "real dashed", "in proportion"),
    )
    placed = layout(keys, 1, size, named=True)
    moves = [0.0, *(v for b in own for v in reach(b.move.value, b.move)), *(b.move.value for b in naive)]
    widths = [0.0, *(b.width for b in (*own, *naive))]
    x = percent_axis(
        0.0, padded_range(widths)[1], signed=False, name="mean width of the 90 % interval, in % of the price"
    )
    y = percent_axis(min(moves), padded_range(moves)[1], signed=False)
    panel = Panel(placed.boxes[0], x, y)
    horizon = ahead(facts.backtest.horizons[0], facts.backtest.timeframe)
    slope = _proportion(own)
    titles = [
        f"width {percent(b.width, 2)}: mean move {percent(b.move.value, 2)} "
        f"{plus_minus(b.move.half_width, 2)}, n = {count(b.move.n)}"
        for b in own
    ]
    return drawing(
        size.width,
        placed.height,
        f"Mean absolute move {horizon} ahead after narrow and wide intervals of {facts.subject.candidate} "
        f"and of {_YARDSTICK}",
        stamp(facts, size.width, placed.height),
        placed.legend,
        axes(panel, f"mean move {horizon} ahead, in % of the price"),
        clipped(panel, line(panel, [(0.0, 0.0), (x.high, slope * x.high)], "real dashed")),
        dots(panel, _points(naive), "persistence", 3.2),
        whiskers(panel, [(b.width, *reach(b.move.value, b.move)) for b in own], "candidate"),
        dots(panel, _points(own), "candidate", 3.4, titles),
    )


def _points(bins: tuple[WidthBin, ...]) -> list[tuple[float, float]]:
    return [(b.width, b.move.value) for b in bins]


def _proportion(bins: tuple[WidthBin, ...]) -> float:
    total = sum(b.width * b.move.n for b in bins)
    return sum(b.move.value * b.move.n for b in bins) / total if total > 0 else 0.0
