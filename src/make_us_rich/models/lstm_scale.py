"""The network of the default price model: an LSTM that corrects the volatility regression."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from make_us_rich.arrays import FloatArray
from make_us_rich.models.price_features import PriceColumns
from make_us_rich.models.quantiles import MEDIAN, QUANTILE_LEVELS
from make_us_rich.models.volatility import VolatilityScale

N_BELOW = MEDIAN
N_ABOVE = len(QUANTILE_LEVELS) - MEDIAN - 1


class LstmSize(NamedTuple):
    """What fixes the shape of the weights."""

    n_steps: int
    hidden: int
    n_horizons: int


class LstmScale(nn.Module):
    """Windows (b, window, n_steps) to the log scale (b, horizon) of the h-candle log return.

    Further columns are steps like the others, scaled as the regression scales them.

    The last layer begins at zero, so an untrained network is the volatility regression itself and training
    can only move away from it where the quantile loss falls.
    """

    def __init__(self, size: LstmSize, volatility: VolatilityScale) -> None:
        super().__init__()
        self.volatility = volatility
        self.lstm = nn.LSTM(size.n_steps, size.hidden, batch_first=True)
        self.head = nn.Linear(size.hidden, size.n_horizons)
        self.gaps = nn.Parameter(torch.zeros(size.n_horizons, N_BELOW + N_ABOVE))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def correction(self, steps: Tensor) -> Tensor:
        """Return what the network adds to the regression's log scale (b, horizon), float32."""
        hidden, _ = self.lstm(steps.float())
        correction: Tensor = self.head(hidden[:, -1])
        return correction

    def forward(self, columns: PriceColumns) -> Tensor:
        """Return log scales, float64."""
        log_scale: Tensor = self.volatility(columns)
        return log_scale + self.correction(self.steps(columns.steps, columns.further)).double()

    def steps(self, steps: Tensor, further: Tensor | None) -> Tensor:
        """Return what the network reads of each candle (..., n_steps)."""
        if further is None or self.volatility.scaling is None:
            return steps
        return torch.cat([steps, self.volatility.scaling(further).to(steps.dtype)], dim=-1)

    def shape(self) -> Tensor:
        """Return the learned quantiles (horizon, level) of return / scale: rising, 0 at the median."""
        gaps = nn.functional.softplus(self.gaps)
        below = -torch.cumsum(gaps[:, :N_BELOW], dim=1).flip(1)
        above = torch.cumsum(gaps[:, N_BELOW:], dim=1)
        return torch.cat([below, torch.zeros_like(gaps[:, :1]), above], dim=1)

    def start_shape_at(self, shape: FloatArray) -> None:
        """Set the gaps so that `shape()` returns these quantiles (horizon, level), median 0."""
        gaps = np.maximum(np.diff(shape, axis=1), 1e-3)
        ordered = np.concatenate([gaps[:, :N_BELOW][:, ::-1], gaps[:, N_BELOW:]], axis=1)
        with torch.no_grad():
            self.gaps.copy_(torch.log(torch.expm1(torch.from_numpy(ordered))))

    def start_at(self, other: "LstmScale") -> None:
        """Take over the correction of another network of the same size, not its regression nor its shape."""
        self.lstm.load_state_dict(other.lstm.state_dict())
        self.head.load_state_dict(other.head.state_dict())
