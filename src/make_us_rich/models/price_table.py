"""The columns of a whole series, computed once and sliced by every fit and every backtest."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from make_us_rich.arrays import FloatArray
from make_us_rich.market.candle import InputColumns
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.price_features import (
    WARM_UP,
    PriceColumns,
    PriceFeatures,
    garman_klass_variance,
)
from make_us_rich.models.quantiles import HORIZONS

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PriceTable:
    """One gap-free series of candles with its price features; n = candles.

    `columns` are torch tensors without a batch axis: steps (n, n_steps) float32, regressors
    (n, n_regressors), context (n, n_context), week_volatility (n,) and further (n, k) float64. `inputs` are
    the columns that were read besides candles.
    """

    timeframe: Timeframe
    open_time_ms: NDArray[np.int64]
    ohlcv: FloatArray
    log_close: FloatArray
    variance: FloatArray
    columns: PriceColumns
    horizons: tuple[int, ...]
    inputs: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.log_close)

    def usable_rows(self, start: int, end: int, window: int = 1) -> Rows:
        """Rows from `start` on, past the warm-up of a window, whose every target has closed by row `end`."""
        first = max(start, WARM_UP + window - 1)
        return np.arange(first, max(first, end - max(self.horizons)), dtype=np.int64)

    def returns(self, rows: Rows) -> FloatArray:
        """Log returns (row, horizon) of the close after each row."""
        return np.stack([self.log_close[rows + h] - self.log_close[rows] for h in self.horizons], axis=1)

    def week_volatility(self, rows: Rows) -> FloatArray:
        """Volatility (row,) of one candle over the trailing week, as known at each row."""
        volatility: FloatArray = self.columns.week_volatility[torch.from_numpy(rows)].numpy()
        return np.maximum(volatility, 1e-8)

    def candle_windows(self, rows: Rows, window: int) -> tuple[Tensor, Tensor]:
        """Open times (row, window) and candles (row, window, 5) that end at each row."""
        index = rows[:, None] + np.arange(1 - window, 1)
        return torch.from_numpy(self.open_time_ms[index]), torch.from_numpy(self.ohlcv[index])

    def windows(self, rows: Rows | Tensor, window: int) -> PriceColumns:
        """Steps and further columns (row, window, …) that end at each row, with the others of the row."""
        index = torch.as_tensor(rows)
        steps = index[:, None] + torch.arange(1 - window, 1)
        further = self.columns.further
        return PriceColumns(
            self.columns.steps[steps],
            self.columns.regressors[index],
            self.columns.context[index],
            self.columns.week_volatility[index],
            None if further is None else further[steps],
        )


def build_price_table(
    open_time_ms: NDArray[np.int64],
    ohlcv: FloatArray,
    timeframe: Timeframe,
    horizons: tuple[int, ...] = HORIZONS,
    read: InputColumns | None = None,
) -> PriceTable:
    """Compute the columns of candles (n, 5) that are gap-free and in order, and of what is read besides."""
    inputs = read.names if read else ()
    features = PriceFeatures(timeframe, inputs)
    candles = torch.tensor(ohlcv, dtype=torch.float64)
    besides = torch.tensor(read.values)[None] if read else None
    with torch.no_grad():
        columns = features(torch.tensor(open_time_ms)[None], candles[None], columns=besides)
    return PriceTable(
        timeframe=timeframe,
        open_time_ms=open_time_ms,
        ohlcv=ohlcv,
        log_close=np.log(ohlcv[:, 3]),
        variance=garman_klass_variance(candles).numpy(),
        columns=PriceColumns(
            columns.steps[0].float(),
            columns.regressors[0],
            columns.context[0],
            columns.week_volatility[0],
            None if columns.further is None else columns.further[0],
        ),
        horizons=horizons,
        inputs=inputs,
    )
