"""What moves a trend classifier: its features by mean Shapley value, and day by day."""

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.reporting.figures.layout import RIGHT
from make_us_rich.evaluation.reporting.plots import (
    Axis,
    Box,
    Panel,
    axes,
    band,
    dots,
    drawing,
    legend,
    line,
    padded_range,
)
from make_us_rich.evaluation.reporting.ticks import Tick, round_ticks
from make_us_rich.evaluation.trends.explain import TrendExplanation

_NAMES, _ROW, _BELOW = 222.0, 21.0, 52.0
_HALF_BAR, _SPREAD, _BINS = 0.32, 0.36, 40
_THIRDS = (("low", "persistence"), ("middle", "ewma_persistence"), ("high", "candidate"))


def importance_figure(explanation: TrendExplanation, width: float = 760.0) -> str:
    """Draw a bar per feature: how far it moves the log-odds on average, and a dot for which way."""
    absolute, signed = explanation.mean_absolute, explanation.mean_signed
    places = _places(explanation)
    low, high = padded_range([0.0, *absolute.values(), *signed.values()])
    keys, key_height = legend(
        [("band", "candidate inner", "mean absolute"), ("dot", "real", "mean signed")],
        Box(10, 4, width - 10, 0),
    )
    panel = _panel(
        explanation, Axis(low, high, round_ticks(low, high, _plain, strong=0.0)), key_height, width
    )
    boxes = [
        band(
            panel,
            [(0.0, places[name] - _HALF_BAR), (value, places[name] - _HALF_BAR)],
            [(0.0, places[name] + _HALF_BAR), (value, places[name] + _HALF_BAR)],
            "candidate inner",
        )
        for name, value in absolute.items()
    ]
    marks = [(signed[name], place) for name, place in places.items()]
    titles = [f"{name}: absolute {absolute[name]:.3f}, signed {signed[name]:+.3f}" for name in places]
    return drawing(
        width,
        _height(panel),
        f"Mean absolute and mean signed Shapley value of each feature of {explanation.candidate}",
        keys,
        axes(panel, "log-odds"),
        *boxes,
        dots(panel, marks, "real", 2.6, titles),
    )


def beeswarm_figure(explanation: TrendExplanation, width: float = 760.0) -> str:
    """Draw a dot per day and feature: how far it moved the log-odds, coloured by the value of the feature."""
    low, high = padded_range(explanation.values.ravel().tolist(), around=0.0)
    keys, key_height = legend(
        [("dot", css, f"{words} third of the feature") for words, css in _THIRDS], Box(10, 4, width - 10, 0)
    )
    panel = _panel(explanation, Axis(low, high, round_ticks(low, high, _plain)), key_height, width)
    marks = []
    for name, place in _places(explanation).items():
        j = explanation.feature_names.index(name)
        values, third = explanation.values[:, j], _thirds(explanation.features[:, j])
        points = np.stack([values, place + _offsets(values, high - low)], axis=1)
        for k, (_, css) in enumerate(_THIRDS):
            marks.append(dots(panel, [(float(x), float(y)) for x, y in points[third == k]], css, 2.0))
    return drawing(
        width,
        _height(panel),
        f"Shapley values of {explanation.candidate} on {len(explanation.values)} days, by feature",
        keys,
        axes(panel, "log-odds"),
        line(panel, [(0.0, panel.y.low), (0.0, panel.y.high)], "persistence slim"),
        *marks,
    )


def _places(explanation: TrendExplanation) -> dict[str, float]:
    n = len(explanation.feature_names)  # the most important one on top
    return {name: float(n - 1 - i) for i, name in enumerate(explanation.mean_absolute)}


def _panel(explanation: TrendExplanation, x: Axis, top: float, width: float) -> Panel:
    n = len(explanation.feature_names)
    y = Axis(-0.5, n - 0.5, tuple(Tick(place, name) for name, place in _places(explanation).items()))
    return Panel(Box(_NAMES, top + 32, width - _NAMES - RIGHT, n * _ROW), x, y)


def _height(panel: Panel) -> float:
    return panel.box.top + panel.box.height + _BELOW - 20


def _thirds(feature: FloatArray) -> FloatArray:
    return np.searchsorted(np.quantile(feature, (1 / 3, 2 / 3)), feature).astype(np.float64)


def _offsets(values: FloatArray, reach: float) -> FloatArray:
    # days that answer alike stand side by side, alternately above and below, in the order they come
    bins = np.floor(values / max(reach, 1e-12) * _BINS)
    rank = np.zeros(len(values))
    for one in np.unique(bins):
        inside = np.flatnonzero(bins == one)
        k = np.arange(1, len(inside) + 1) // 2 * np.where(np.arange(len(inside)) % 2, 1, -1)
        rank[inside] = k * min(0.09, 2 * _SPREAD / max(len(inside), 1))
    return np.asarray(rank)


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")
