"""What a walk-forward run leaves behind: every forecast of every forecaster beside what happened."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.market.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Backtest:
    """Outer-fold forecasts in time order; n forecasts, each at every horizon.

    `cutoff_ms`, `fold` and `week_volatility` (the past week's volatility of one candle, known at the cutoff)
    are (n,), `last_close` (n,) is the price at the cutoff, `returns` (n, horizon) the log returns that
    followed, `quantiles[name]` (n, horizon, level) what each forecaster said of them.
    """

    timeframe: Timeframe
    horizons: tuple[int, ...]
    cutoff_ms: NDArray[np.int64]
    fold: NDArray[np.int64]
    last_close: FloatArray
    week_volatility: FloatArray
    returns: FloatArray
    quantiles: dict[str, FloatArray]

    def __len__(self) -> int:
        return len(self.cutoff_ms)

    def loss(self, name: str) -> FloatArray:
        """Return the quantile loss (n, horizon) of one forecaster, in log return."""
        return quantile_loss(self.quantiles[name], self.returns)

    def scaled_loss(self, name: str) -> FloatArray:
        """Return the loss (n, horizon) over the past week's volatility, so that wild weeks do not rule."""
        return self.loss(name) / self.week_volatility[:, None]

    def since(self, moment_ms: int) -> "Backtest":
        """Return the part whose cutoffs lie at or after a moment."""
        keep = self.cutoff_ms >= moment_ms
        return Backtest(
            self.timeframe,
            self.horizons,
            self.cutoff_ms[keep],
            self.fold[keep],
            self.last_close[keep],
            self.week_volatility[keep],
            self.returns[keep],
            {name: quantiles[keep] for name, quantiles in self.quantiles.items()},
        )
