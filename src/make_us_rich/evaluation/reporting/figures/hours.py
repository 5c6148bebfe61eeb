"""Error by hour of day: the quantile loss over that of persistence, first horizon."""

from make_us_rich.evaluation.reporting.facts import ReportFacts
from make_us_rich.evaluation.reporting.figures.layout import (
    FigureSize,
    Point,
    layout,
    percent_axis,
    reach,
    stamp,
)
from make_us_rich.evaluation.reporting.numbers import ahead, count, percent, plus_minus
from make_us_rich.evaluation.reporting.plots import Axis, Panel, axes, band, dots, drawing, line, padded_range
from make_us_rich.evaluation.reporting.ticks import Tick

_YARDSTICK = "persistence"


def hours_figure(facts: ReportFacts, size: FigureSize) -> str:
    """Draw the relative loss by UTC hour of the cutoff; below 100 % is better than persistence."""
    own = facts.candidate_records[0].loss_by_hour
    others = [name for name in facts.records if name not in (_YARDSTICK, facts.subject.candidate)]
    lines = {name: _points(facts, name) for name in others}
    shown = [1.0, *(v for e in own.values() for v in reach(e.value, e))]
    shown += [y for points in lines.values() for _, y in points]
    keys = [
        ("line", "candidate", facts.subject.candidate),
        ("band", "candidate outer", "95 % interval"),
        *(("line", f"{_css(name)} slim", name) for name in others),
        ("line", "persistence", f"{_YARDSTICK} = 100 %"),
    ]
    placed = layout(keys, 1, size, named=True)
    x = Axis(-0.5, 23.5, tuple(Tick(h, f"{h:02d}") for h in range(0, 24, 3)), "hour of the cutoff, UTC")
    y = percent_axis(*padded_range(shown), strong=1.0, signed=False)
    panel = Panel(placed.boxes[0], x, y)
    edges = [(h, *reach(e.value, e)) for h, e in own.items()]
    titles = [
        f"{h:02d}:00 UTC: {percent(e.value)} {plus_minus(e.half_width)} of {_YARDSTICK}, n = {count(e.n)}"
        for h, e in own.items()
    ]
    horizon = ahead(facts.backtest.horizons[0], facts.backtest.timeframe)
    words = f"Quantile loss of {facts.subject.candidate} {horizon} ahead in % of {_YARDSTICK}, by hour of day"
    return drawing(
        size.width,
        placed.height,
        words,
        stamp(facts, size.width, placed.height),
        placed.legend,
        axes(panel, f"{horizon} ahead, loss in % of {_YARDSTICK}"),
        line(panel, [(x.low, 1.0), (x.high, 1.0)], "persistence"),
        band(
            panel, [(h, low) for h, low, _ in edges], [(h, high) for h, _, high in edges], "candidate outer"
        ),
        *(line(panel, points, f"{_css(name)} slim") for name, points in lines.items()),
        line(panel, _points(facts, facts.subject.candidate), "candidate"),
        dots(panel, _points(facts, facts.subject.candidate), "candidate", 2.6, titles),
    )


def _points(facts: ReportFacts, name: str) -> list[Point]:
    return [(float(h), e.value) for h, e in facts.records[name][0].loss_by_hour.items()]


def _css(name: str) -> str:
    # a class is never taken from a name that somebody chose
    return name if name in ("ewma_persistence", "volatility") else "other"
