"""The figures of a trend report: day by day, forecaster by forecaster, and how true the probabilities are."""

import re

import numpy as np

from make_us_rich.evaluation.reporting.figures.layout import (
    RIGHT,
    FigureSize,
    Layout,
    Point,
    layout,
    percent_axis,
)
from make_us_rich.evaluation.reporting.numbers import count, percent
from make_us_rich.evaluation.reporting.plots import (
    Axis,
    Box,
    Panel,
    axes,
    band,
    dots,
    drawing,
    line,
    padded_range,
    text,
)
from make_us_rich.evaluation.reporting.ticks import Tick, time_ticks
from make_us_rich.evaluation.trends.evidence import POOL, TrendEvidence
from make_us_rich.evaluation.trends.report_record import YARDSTICK, TrendReportRecord
from make_us_rich.evaluation.trends.report_words import interval_words

_LOOKS = {POOL: "candidate", YARDSTICK: "persistence", "momentum": "ewma_persistence", "base_rate": "other"}
_NAMES, _ROW = 150.0, 19.0
_LEGEND = 53.0  # its neighbour has one, this figure needs none
_DAYS_PER_TICK = 110.0  # pixels
_WHOLE = (0.0, 0.25, 0.5, 0.75, 1.0)


def days_figure(record: TrendReportRecord, size: FigureSize) -> str:
    """Draw the probabilities of the pool and the yardstick over all outer days; events are shaded."""
    outer = record.outer
    keys = (
        ("line", "candidate", POOL),
        ("line", "persistence", YARDSTICK),
        ("band", "event outer", "the event came"),
    )
    placed = layout(keys, 1, size, named=False)
    start, end = float(outer.cutoff_ms[0]), float(outer.cutoff_ms[-1])
    ticks = time_ticks(start, end, max(2, round(size.width / _DAYS_PER_TICK)))
    panel = Panel(placed.boxes[0], Axis(start, end + 1, ticks), _shares(""))
    return _finished(
        record,
        (size.width, placed.height),
        f"Probability of each outer day as said by the pool and by {YARDSTICK}, and the days of the event",
        placed.legend,
        axes(panel, "probability"),
        *(band(panel, [(a, 0.0), (b, 0.0)], [(a, 1.0), (b, 1.0)], "event outer") for a, b in _spells(record)),
        *(_days(record, panel, name) for name in (YARDSTICK, POOL)),
    )


def forecasters_figure(record: TrendReportRecord, size: FigureSize) -> str:
    """Draw the skill of every forecaster against the yardstick, with its interval."""
    names = [POOL, *record.candidates, *(n for n in ("momentum", "base_rate") if n in record.evidence)]
    found = [record.evidence[name] for name in names]
    values = [
        value
        for one in found
        for value in (0.0, one.skill[YARDSTICK], one.skill_low[YARDSTICK], one.skill_high[YARDSTICK])
    ]
    x = percent_axis(*padded_range(values))
    x = Axis(x.low, x.high, x.ticks[:: 1 + len(x.ticks) // 8], f"Brier skill against {YARDSTICK}")
    places = [float(len(names) - 1 - i) for i in range(len(names))]
    y = Axis(-0.6, len(names) - 0.4, tuple(Tick(p, n) for p, n in zip(places, names, strict=True)))
    height = max(len(names) * _ROW, size.panel_height + _LEGEND)
    panel = Panel(Box(_NAMES, 12.0, size.width - _NAMES - RIGHT - 8, height), x, y)
    return _finished(
        record,
        (size.width, panel.box.top + panel.box.height + 46),
        f"Brier skill against {YARDSTICK}, by forecaster, with 95 % intervals",
        axes(panel, ""),
        line(panel, [(0.0, y.low), (0.0, y.high)], "persistence slim"),
        *(_forecaster(panel, one, place) for one, place in zip(found, places, strict=True)),
    )


def calibration_figure(record: TrendReportRecord, size: FigureSize) -> str:
    """Draw how often the event came, by the stated probability, for the pool and the yardstick."""
    shown = [name for name in (YARDSTICK, POOL) if record.evidence[name].calibration]
    keys = (
        *(("dot", _LOOKS[name], name) for name in reversed(shown)),
        ("line", "real dashed", "as often as stated"),
    )
    placed: Layout = layout(keys, 1, size, named=True)
    panel = Panel(placed.boxes[0], _shares("stated probability"), _shares(""))
    return _finished(
        record,
        (size.width, placed.height),
        f"Share of days with the event, by the probability stated by the pool and by {YARDSTICK}",
        placed.legend,
        axes(panel, "share of days on which the event came"),
        line(panel, [(0.0, 0.0), (1.0, 1.0)], "real dashed"),
        *(_calibration(panel, record.evidence[name]) for name in shown),
    )


def stamped(record: TrendReportRecord, drawn: str) -> str:
    """Put SIMULATED behind the marks where the market is, so that a copied figure still says it."""
    size = re.match(r'<svg viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    if not record.notice or size is None:
        return drawn
    words = text(float(size[1]) / 2, float(size[2]) / 2, "SIMULATED", "stamp middle")
    return drawn.replace("</title>", f"</title>{words}", 1)


def _finished(record: TrendReportRecord, size: tuple[float, float], description: str, *parts: str) -> str:
    return stamped(record, drawing(*size, description, *parts))


def _shares(name: str) -> Axis:
    return Axis(0.0, 1.0, tuple(Tick(v, percent(v, 0)) for v in _WHOLE), name)


def _days(record: TrendReportRecord, panel: Panel, name: str) -> str:
    outer = record.outer
    said = outer.probability[name]
    apart = np.flatnonzero(np.diff(outer.cutoff_ms) > 1.5 * outer.timeframe.milliseconds) + 1
    return "".join(
        line(panel, _points(outer.cutoff_ms[part], said[part]), f"{_LOOKS[name]} slim")
        for part in np.split(np.arange(len(said)), apart)
        if len(part) > 1
    )


def _points(x: np.ndarray, y: np.ndarray) -> list[Point]:
    return list(zip(x.astype(float).tolist(), y.tolist(), strict=True))


def _spells(record: TrendReportRecord) -> list[tuple[float, float]]:
    # stretches of days with the event, half a day wider on both sides
    outer = record.outer
    half = outer.timeframe.milliseconds / 2
    came = np.flatnonzero(outer.outcome == 1)
    runs = np.split(came, np.flatnonzero(np.diff(outer.cutoff_ms[came]) > 3 * half) + 1) if len(came) else []
    low, high = float(outer.cutoff_ms[0]), float(outer.cutoff_ms[-1])
    return [
        (max(float(outer.cutoff_ms[run[0]]) - half, low), min(float(outer.cutoff_ms[run[-1]]) + half, high))
        for run in runs
    ]


def _forecaster(panel: Panel, evidence: TrendEvidence, place: float) -> str:
    look = _LOOKS.get(evidence.forecaster, "real")
    point = (evidence.skill[YARDSTICK], place)
    low, high = evidence.skill_low[YARDSTICK], evidence.skill_high[YARDSTICK]
    interval = interval_words(evidence, YARDSTICK)
    title = f"{evidence.forecaster}: {percent(point[0], signed=True)}, 95 % interval {interval}"
    return line(panel, [(low, place), (high, place)], f"{look} slim") + dots(
        panel, [point], look, 4.0 if evidence.forecaster == POOL else 3.0, [title]
    )


def _calibration(panel: Panel, evidence: TrendEvidence) -> str:
    points = [(one.forecast, one.observed) for one in evidence.calibration]
    titles = [
        f"{evidence.forecaster}: stated {percent(one.forecast)}, came {percent(one.observed)}, "
        f"n = {count(one.n)}"
        for one in evidence.calibration
    ]
    look = _LOOKS[evidence.forecaster]
    return line(panel, points, f"{look} slim") + dots(panel, points, look, 3.2, titles)
