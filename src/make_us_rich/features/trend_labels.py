"""The question of a trend forecast, and its answers. Labels look ahead by design: they are no features."""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field

from make_us_rich.arrays import CLOSE, HIGH, LOW, FloatArray

Direction = Literal["up", "down"]
LabelKind = Literal["sma-change", "close-change", "touch"]


_WORDS = {
    ("sma-change", "up"): "the {average}-candle average is {percent} higher or more in {horizon} candles",
    ("sma-change", "down"): "the {average}-candle average is {percent} lower or more in {horizon} candles",
    ("close-change", "up"): "the close is {percent} higher or more in {horizon} candles",
    ("close-change", "down"): "the close is {percent} lower or more in {horizon} candles",
    ("touch", "up"): "a high within {horizon} candles lies {percent} or more above the close",
    ("touch", "down"): "a low within {horizon} candles lies {percent} or more below the close",
}


@dataclass(frozen=True, slots=True)
class TrendLabel:
    """What counts as a trend: a move by `threshold` (a fraction) within or after `horizon` candles.

    `sma-change`: the average close of `average` candles, `horizon` candles later, against that of now (the
    published question). `close-change`: the same of the close itself. `touch`: the high (up) or low (down) of
    one of the next `horizon` candles reaches the threshold, counted from the close.
    """

    kind: LabelKind = "sma-change"
    average: Annotated[int, Field(ge=1, le=100)] = 10
    horizon: Annotated[int, Field(ge=1, le=100)] = 10
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.05

    def __post_init__(self) -> None:
        if self.kind not in get_args(LabelKind):
            raise ValueError(f"{self.kind!r} is not one of {get_args(LabelKind)}")
        if self.average < 1 or self.horizon < 1:
            raise ValueError(f"average {self.average} and horizon {self.horizon} must be 1 or more")
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} must lie between 0 and 1")

    @property
    def averaged_candles(self) -> int:
        """How many closes are averaged before they are compared: 1 where the label is about the close."""
        return self.average if self.kind == "sma-change" else 1

    def factor(self, direction: Direction) -> float:
        """Return what the price has to be multiplied by: 1.05 or 0.95 for a threshold of 5 %."""
        return 1 + self.threshold if direction == "up" else 1 - self.threshold


def label_words(label: TrendLabel, direction: Direction) -> str:
    """Say which event a probability is of.

    >>> label_words(TrendLabel("touch", horizon=5, threshold=0.1), "up")
    'a high within 5 candles lies 10 % or more above the close'
    """
    percent = f"{label.threshold * 100:g} %"
    return _WORDS[label.kind, direction].format(percent=percent, average=label.average, horizon=label.horizon)


def trend_labels(ohlcv: FloatArray, label: TrendLabel, direction: Direction) -> FloatArray:
    """Return 1.0 where the trend came and 0.0 where it did not, one per candle (n,).

    NaN where the future has not closed, which is the last `horizon` rows, and where the average has no
    history.

    >>> candles = np.repeat([[1.0], [1.0], [1.06]], 5, axis=1)
    >>> trend_labels(candles, TrendLabel("close-change", horizon=1), "up")
    array([ 0.,  1., nan])
    """
    labels = np.full(len(ohlcv), np.nan)
    if len(ohlcv) <= label.horizon:
        return labels
    now = moving_average(ohlcv[:, CLOSE], label.averaged_candles)[: -label.horizon]
    reached, level = _extreme_ahead(ohlcv, label, direction), now * label.factor(direction)
    came = reached >= level if direction == "up" else reached <= level
    labels[: -label.horizon] = np.where(np.isnan(level), np.nan, came)
    return labels


def moving_average(close: FloatArray, candles: int) -> FloatArray:
    """Return the mean of the last `candles` closes at each row (n,); NaN before there are as many."""
    average = np.full(len(close), np.nan)
    if len(close) >= candles:
        average[candles - 1 :] = sliding_window_view(close, candles).mean(axis=1)
    return average


def _extreme_ahead(ohlcv: FloatArray, label: TrendLabel, direction: Direction) -> FloatArray:
    if label.kind != "touch":
        return moving_average(ohlcv[:, CLOSE], label.averaged_candles)[label.horizon :]
    column = HIGH if direction == "up" else LOW
    windows = sliding_window_view(ohlcv[1:, column], label.horizon)  # the candle of the row is excluded
    extreme: FloatArray = windows.max(axis=1) if direction == "up" else windows.min(axis=1)
    return extreme
