"""The whole model as one graph: raw candles in, quantiles of the coming closes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from make_us_rich.arrays import FloatArray
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.price_features import WARM_UP, PriceColumns, PriceFeatures
from make_us_rich.models.scale_model import HasLocation, ScaleModel
from make_us_rich.models.volatility import VolatilityScale


@dataclass(frozen=True, slots=True)
class FittedScale:
    """A fitted candidate of the scale family with its calibrated shape (horizon, level)."""

    model: ScaleModel
    shape: FloatArray


class PriceGraph(nn.Module):
    """Open times (b, lookback) and candles (b, lookback, 5), both float64, to prices (b, horizon, level).

    Each horizon takes the quantiles of the candidate that serves it. With `inputs`, columns by name,
    it also takes those (b, lookback, k), unless none of the candidates that serve reads them.
    """

    shape: Tensor

    def __init__(
        self,
        timeframe: Timeframe,
        fitted: Mapping[str, FittedScale],
        served_by: Sequence[str],
        inputs: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.names = tuple(dict.fromkeys(served_by))
        self.scales = nn.ModuleList([fitted[name].model.module for name in self.names])
        self.inputs = () if all(map(_reads_candles_only, self.scales)) else inputs
        self.features = PriceFeatures(timeframe, self.inputs)
        self.windows = [fitted[name].model.window for name in self.names]
        self.positions = [self.names.index(name) for name in served_by]
        shape = np.stack([fitted[name].shape[j] for j, name in enumerate(served_by)])
        self.register_buffer("shape", torch.from_numpy(shape))

    @property
    def lookback(self) -> int:
        """Candles the graph needs: the warm-up of the features and the longest window."""
        return WARM_UP + max(self.windows)

    def _location(self, open_time_ms: Tensor, ohlcv: Tensor, log_scale: Tensor) -> Tensor:
        location = torch.zeros_like(log_scale)
        for position, (module, window) in enumerate(zip(self.scales, self.windows, strict=True)):
            if isinstance(module, HasLocation):
                serves = torch.tensor([p == position for p in self.positions], dtype=log_scale.dtype)
                view = module.location(open_time_ms[:, -window:], ohlcv[:, -window:])
                location = location + serves * view
        return location

    def forward(self, open_time_ms: Tensor, ohlcv: Tensor, columns: Tensor | None = None) -> Tensor:
        """Return prices."""
        known = self.features(open_time_ms, ohlcv, max(self.windows), columns)
        last = PriceColumns(
            known.steps[:, -max(self.windows) :],
            known.regressors[:, -1],
            known.context[:, -1],
            known.week_volatility[:, -1],
            known.further,
        )
        log_scales = [
            scale(_last_steps(last, window)) for scale, window in zip(self.scales, self.windows, strict=True)
        ]
        log_scale = torch.stack([log_scales[p][:, j] for j, p in enumerate(self.positions)], dim=1)
        log_returns = torch.exp(log_scale)[..., None] * self.shape
        log_returns = log_returns + self._location(open_time_ms, ohlcv, log_scale)[..., None]
        prices: Tensor = ohlcv[:, -1, 3, None, None] * torch.exp(log_returns)
        return prices


def _last_steps(columns: PriceColumns, window: int) -> PriceColumns:
    further = None if columns.further is None else columns.further[:, -window:]
    return columns._replace(steps=columns.steps[:, -window:], further=further)


def _reads_candles_only(module: nn.Module) -> bool:
    return isinstance(module, HasLocation) or (isinstance(module, VolatilityScale) and not module.wide)
