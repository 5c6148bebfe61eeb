"""Skill at each horizon against each baseline: all folds, their spread, and every fold."""

from make_us_rich.evaluation.reporting.facts import HorizonRecord, ReportFacts
from make_us_rich.evaluation.reporting.figures.layout import FigureSize, layout, percent_axis, stamp
from make_us_rich.evaluation.reporting.numbers import ahead, percent
from make_us_rich.evaluation.reporting.plots import (
    Axis,
    Panel,
    axes,
    bars,
    dots,
    drawing,
    padded_range,
    whiskers,
)
from make_us_rich.evaluation.reporting.sentences import basis
from make_us_rich.evaluation.reporting.ticks import Tick

_KEYS = (
    ("bar", "candidate", "all folds together"),
    ("whisker", "real", "± spread over the folds"),
    ("dot", "fold", "each fold"),
)
_BAR = 0.62
_FOLD_STRETCH = 0.4


def skill_figure(facts: ReportFacts, size: FigureSize) -> str:
    """Draw one panel per baseline on one scale; at 0 the forecaster is as good as the baseline."""
    rows, yardsticks = facts.candidate_records, facts.yardsticks
    values = [
        value
        for row in rows
        for name in yardsticks
        for value in (0.0, row.evidence.skill[name], *row.fold_skill[name], *_spread(row, name))
    ]
    placed = layout(_KEYS, len(yardsticks), size, named=False)
    labels = [ahead(row.evidence.horizon, facts.backtest.timeframe) for row in rows]
    x = Axis(-0.6, len(rows) - 0.4, tuple(Tick(j, label) for j, label in enumerate(labels)))
    y = percent_axis(*padded_range(values))
    panels = [
        _panel(facts, Panel(box, x, y), name, with_y_labels=i % size.columns == 0)
        for i, (box, name) in enumerate(zip(placed.boxes, yardsticks, strict=True))
    ]
    words = f"Skill of {facts.subject.candidate} by horizon, over all folds and in each: " + "; ".join(
        f"{label} {percent(row.evidence.skill[yardsticks[0]], signed=True)} against {yardsticks[0]}"
        for label, row in zip(labels, rows, strict=True)
    )
    return drawing(
        size.width, placed.height, words, stamp(facts, size.width, placed.height), placed.legend, *panels
    )


def _panel(facts: ReportFacts, panel: Panel, name: str, *, with_y_labels: bool) -> str:
    rows = facts.candidate_records
    overall = [(float(j), row.evidence.skill[name]) for j, row in enumerate(rows)]
    titles = [
        f"{percent(row.evidence.skill[name], signed=True)} ({basis(row, name, facts.backtest.timeframe)})"
        for row in rows
    ]
    folds = [
        (j + _FOLD_STRETCH * ((k + 0.5) / len(row.fold_skill[name]) - 0.5), value, k + 1)
        for j, row in enumerate(rows)
        for k, value in enumerate(row.fold_skill[name])
    ]
    return "".join(
        (
            axes(panel, f"against {name}", with_y_labels=with_y_labels),
            bars(panel, overall, _BAR, "candidate", titles),
            whiskers(panel, [(j, *_spread(row, name)) for j, row in enumerate(rows)], "real"),
            dots(
                panel,
                [(x, y) for x, y, _ in folds],
                "fold",
                2.8,
                [f"fold {k}: {percent(y, signed=True)}" for _, y, k in folds],
            ),
        )
    )


def _spread(row: HorizonRecord, name: str) -> tuple[float, float]:
    skill, spread = row.evidence.skill[name], row.skill_spread[name]
    return skill - spread, skill + spread
