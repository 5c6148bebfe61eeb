"""Reliability: how far the share of closes below each quantile lies from the level it states."""

from collections.abc import Sequence

from make_us_rich.evaluation.diagnostics import Estimate
from make_us_rich.evaluation.reporting.facts import HorizonRecord, ReportFacts
from make_us_rich.evaluation.reporting.figures.layout import (
    FigureSize,
    Point,
    layout,
    percent_axis,
    reach,
    spans,
    stamp,
)
from make_us_rich.evaluation.reporting.numbers import ahead, count, percent, plus_minus
from make_us_rich.evaluation.reporting.plots import (
    Axis,
    Panel,
    axes,
    dots,
    drawing,
    line,
    padded_range,
    whiskers,
)
from make_us_rich.evaluation.reporting.ticks import Tick
from make_us_rich.models.quantiles import QUANTILE_LEVELS

_MOST_PANELS = 6
_YARDSTICK = "persistence"


def reliability_figure(facts: ReportFacts, size: FigureSize) -> str:
    """Draw one panel per horizon, at most six; on the zero line every level holds what it states."""
    positions = _spread_over(len(facts.backtest.horizons), _MOST_PANELS)
    keys = (
        ("dot", "candidate", facts.subject.candidate),
        ("whisker", "candidate", "95 % interval from whole blocks"),
        ("line", "persistence", _YARDSTICK),
    )
    placed = layout(keys, len(positions), size, named=True)
    rows = [facts.candidate_records[j] for j in positions]
    naive = [facts.records[_YARDSTICK][j] for j in positions]
    ticks = tuple(Tick(v, percent(v, 0)) for v in (0.1, 0.5, 0.9))
    named_from = len(positions) - size.columns  # the last row; above it a name would meet the next title
    y = percent_axis(*padded_range([v for row in (*rows, *naive) for v in _reaches(row)], around=0.0))
    panels = [
        _panel(
            Panel(box, Axis(0.0, 1.0, ticks, "stated level" if i >= named_from else ""), y),
            (row, yardstick),
            f"{ahead(row.evidence.horizon, facts.backtest.timeframe)} ahead",
            with_y_labels=i % size.columns == 0,
        )
        for i, (box, row, yardstick) in enumerate(zip(placed.boxes, rows, naive, strict=True))
    ]
    words = (
        f"Share of closes at or below each quantile of {facts.subject.candidate}, minus the level it states, "
        "in percentage points, by horizon"
    )
    return drawing(
        size.width, placed.height, words, stamp(facts, size.width, placed.height), placed.legend, *panels
    )


def _panel(
    panel: Panel, rows: tuple[HorizonRecord, HorizonRecord], title: str, *, with_y_labels: bool
) -> str:
    own, naive = rows
    points = _points(own.reliability)
    titles = [
        f"stated {percent(level)}, observed {percent(e.value)} {plus_minus(e.half_width)}, n = {count(e.n)}"
        for level, e in zip(QUANTILE_LEVELS, own.reliability, strict=True)
    ]
    return "".join(
        (
            axes(panel, title, with_y_labels=with_y_labels),
            line(panel, _points(naive.reliability), "persistence"),
            whiskers(panel, spans(points, own.reliability), "candidate", 2.0),
            dots(panel, points, "candidate", 2.6, titles),
        )
    )


def _points(estimates: Sequence[Estimate]) -> list[Point]:
    return [(level, e.value - level) for level, e in zip(QUANTILE_LEVELS, estimates, strict=True)]


def _reaches(row: HorizonRecord) -> list[float]:
    return [
        v for (_, y), e in zip(_points(row.reliability), row.reliability, strict=True) for v in reach(y, e)
    ]


def _spread_over(n: int, most: int) -> list[int]:
    if n <= most:
        return list(range(n))
    return sorted({round(k * (n - 1) / (most - 1)) for k in range(most)})
