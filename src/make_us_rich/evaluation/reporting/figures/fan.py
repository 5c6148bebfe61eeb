"""The forecast fan: what was said at a few cutoffs, over the closes that came."""

import math
from dataclasses import dataclass

import numpy as np

from make_us_rich.evaluation.reporting.facts import ReportFacts, moment
from make_us_rich.evaluation.reporting.figures.layout import Point, stamp
from make_us_rich.evaluation.reporting.numbers import number
from make_us_rich.evaluation.reporting.plots import (
    Axis,
    Box,
    Panel,
    axes,
    band,
    clipped,
    dots,
    drawing,
    legend,
    line,
    padded_range,
)
from make_us_rich.evaluation.reporting.ticks import round_ticks, time_ticks
from make_us_rich.models.quantiles import MEDIAN, QUANTILE_LEVELS

_SHARES = ((0.05, 0.95, "outer"), (0.25, 0.75, "inner"))
_YARDSTICK = "persistence"


@dataclass(frozen=True, slots=True)
class FanSize:
    """How large the drawing is, how many fans it shows, and how far apart, in longest horizons."""

    width: float
    height: float
    n_fans: int
    fan_spacing: int


@dataclass(frozen=True, slots=True)
class _Fans:
    """What is drawn of each forecast, one line per cutoff: edges by level, medians, and persistence's."""

    edges: dict[float, list[list[Point]]]
    medians: list[list[Point]]
    repeated: list[list[Point]]
    naive_edges: list[list[Point]]


WIDE_FAN = FanSize(1002, 420, n_fans=5, fan_spacing=2)
NARROW_FAN = FanSize(350, 330, n_fans=2, fan_spacing=2)


def fan_figure(facts: ReportFacts, size: FanSize) -> str:
    """Draw the last closes of the backtest with a forecast every few days and the last price repeated."""
    start, cutoffs = _chosen(facts, size)
    closes, fans = _closes(facts, start), _fans(facts, cutoffs)
    keys, key_height = legend(_entries(facts, fans), Box(10, 4, size.width - 10, 0))
    top = key_height + 40
    panel = _panel(closes, fans, Box(62, top, size.width - 74, size.height - top - 30))
    return drawing(
        size.width,
        size.height,
        _description(facts, cutoffs),
        stamp(facts, size.width, size.height),
        keys,
        axes(panel, f"{facts.subject.symbol} close, {_dates(closes)}"),
        clipped(panel, *_marks(panel, closes, fans)),
    )


def _panel(closes: list[Point], fans: _Fans, box: Box) -> Panel:
    lines = [
        closes,
        *fans.medians,
        *fans.naive_edges,
        *(edge for group in fans.edges.values() for edge in group),
    ]
    low, high = padded_range(y for points in lines for _, y in points)
    digits = max(3, math.ceil(math.log10(max(abs(low), abs(high)) / (high - low))) + 2)
    start, end = closes[0][0], closes[-1][0]
    return Panel(
        box,
        Axis(start, end, time_ticks(start, end, int(box.width / 65))),
        Axis(low, high, round_ticks(low, high, lambda value: number(value, digits))),
    )


def _marks(panel: Panel, closes: list[Point], fans: _Fans) -> list[str]:
    return [
        *(line(panel, edge, "persistence thin") for edge in fans.naive_edges),
        *(
            band(panel, lower, upper, f"candidate {css}")
            for below, above, css in _SHARES
            for lower, upper in zip(fans.edges[below], fans.edges[above], strict=True)
        ),
        *(line(panel, median, "candidate") for median in fans.medians),
        line(panel, closes, "real"),
        *(line(panel, level, "persistence dashed") for level in fans.repeated),
        dots(panel, [level[0] for level in fans.repeated], "real", 3.2),
    ]


def _fans(facts: ReportFacts, cutoffs: list[int]) -> _Fans:
    candidate = facts.subject.candidate

    def lines(name: str, level: float) -> list[list[Point]]:
        return [_fan(facts, name, cutoff, level) for cutoff in cutoffs]

    moves = np.any(facts.backtest.quantiles[candidate][cutoffs, :, MEDIAN])
    return _Fans(
        edges={level: lines(candidate, level) for share in _SHARES for level in share[:2]},
        medians=lines(candidate, 0.5) if moves else [],
        repeated=lines(_YARDSTICK, 0.5),
        naive_edges=[*lines(_YARDSTICK, 0.05), *lines(_YARDSTICK, 0.95)],
    )


def _chosen(facts: ReportFacts, size: FanSize) -> tuple[int, list[int]]:
    longest, n = max(facts.backtest.horizons), len(facts.backtest)
    spacing = longest * size.fan_spacing
    last = max(0, n - 1 - longest)
    cutoffs = [last - k * spacing for k in range(size.n_fans) if last - k * spacing >= 0]
    return max(0, cutoffs[-1] - spacing // 2), cutoffs


def _closes(facts: ReportFacts, start: int) -> list[Point]:
    backtest = facts.backtest
    known = [
        (float(t), float(p))
        for t, p in zip(backtest.cutoff_ms[start:], backtest.last_close[start:], strict=True)
    ]
    step = backtest.timeframe.milliseconds
    after = backtest.last_close[-1] * np.exp(backtest.returns[-1])
    ahead = [
        (float(backtest.cutoff_ms[-1] + h * step), float(p))
        for h, p in zip(backtest.horizons, after, strict=True)
    ]
    return known + ahead[:1]


def _fan(facts: ReportFacts, name: str, cutoff: int, level: float) -> list[Point]:
    backtest = facts.backtest
    begin, step = int(backtest.cutoff_ms[cutoff]), backtest.timeframe.milliseconds
    last = float(backtest.last_close[cutoff])
    known = [0.0, *backtest.quantiles[name][cutoff, :, QUANTILE_LEVELS.index(level)]]
    candles = np.arange(max(backtest.horizons) + 1)
    # between the horizons spread grows with the square root of time, as that of a random walk does
    returns = np.interp(np.sqrt(candles), np.sqrt([0, *backtest.horizons]), known)
    return [
        (float(begin + k * step), last * math.exp(value)) for k, value in zip(candles, returns, strict=True)
    ]


def _entries(facts: ReportFacts, fans: _Fans) -> list[tuple[str, str, str]]:
    candidate = facts.subject.candidate
    return [
        ("line", "real", "close"),
        *([("line", "candidate", f"{candidate}, median")] if fans.medians else []),
        ("band", "candidate inner", f"{candidate}, 50 % interval"),
        ("band", "candidate outer", "90 % interval"),
        ("line", "persistence dashed", f"{_YARDSTICK}: the last close repeated"),
        ("line", "persistence thin", "its 90 % interval"),
    ]


def _dates(closes: list[Point]) -> str:
    first, last = (moment(int(time_ms)) for time_ms, _ in (closes[0], closes[-1]))
    return f"{first.day} {first:%b %Y} to {last.day} {last:%b %Y}"


def _description(facts: ReportFacts, cutoffs: list[int]) -> str:
    dates = [moment(int(facts.backtest.cutoff_ms[c])) for c in reversed(cutoffs)]
    return (
        f"{facts.subject.symbol}: forecasts of {facts.subject.candidate} made at "
        f"{', '.join(f'{d:%Y-%m-%d %H:%M}' for d in dates)} UTC, with their 50 % and 90 % intervals, over "
        "the closes that came, beside the last close repeated."
    )
