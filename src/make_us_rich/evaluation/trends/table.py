"""One coin as the trend candidates see it: daily candles, indicators, and whether the event came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.features.indicators import indicator_matrix
from make_us_rich.features.trend_labels import Direction, TrendLabel, trend_labels
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TrendTable:
    """A gap-free series of n candles.

    `features` (n, 19) are float32, as the exported models read them, NaN before the warm-up; `labels` (n,)
    hold 1 where the event came, 0 where not and NaN where the future has not closed, by direction.
    """

    symbol: Symbol
    timeframe: Timeframe
    label: TrendLabel
    candles: CandleArrays
    features: NDArray[np.float32]
    labels: Mapping[Direction, FloatArray]

    def __len__(self) -> int:
        return len(self.candles)

    @property
    def cutoff_ms(self) -> NDArray[np.int64]:
        """Close time of each candle, which is when its row can be known."""
        return self.candles.open_time_ms + self.timeframe.milliseconds

    def known_rows(self, start: int, end: int) -> Rows:
        """Rows from `start` up to `end` (exclusive) that have features and whose event has been decided."""
        rows = np.arange(max(start, 0), min(end, len(self)), dtype=np.int64)
        known = np.isfinite(self.features[rows]).all(axis=1) & np.isfinite(self.labels["up"][rows])
        return rows[known]

    def training_rows(self, end: int) -> Rows:
        """Rows a fit before row `end` may use: the embargo is the horizon, so their events were decided."""
        return self.known_rows(0, end - self.label.horizon)


def build_trend_table(
    symbol: Symbol, timeframe: Timeframe, candles: CandleArrays, label: TrendLabel
) -> TrendTable:
    """Compute the indicators and labels of candles that are gap-free and in order."""
    return TrendTable(
        symbol=symbol,
        timeframe=timeframe,
        label=label,
        candles=candles,
        features=indicator_matrix(candles.ohlcv).astype(np.float32),
        labels={
            direction: trend_labels(candles.ohlcv, label, direction) for direction in get_args(Direction)
        },
    )
