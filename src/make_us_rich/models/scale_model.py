"""Fitted candidates: how far the close moves is forecast, and, where a module has a view, to where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from make_us_rich.models.location_scale import LocationScale
from make_us_rich.models.price_features import PriceColumns
from make_us_rich.models.price_table import PriceTable, Rows

_ROWS_AT_ONCE = 2048


@runtime_checkable
class HasLocation(Protocol):
    """A module that also says where the close will be."""

    def location(self, open_time_ms: Tensor, ohlcv: Tensor) -> Tensor:
        """Return the forecast log return (b, horizon) from windows of candles (b, window[, 5])."""


@dataclass(frozen=True, slots=True)
class ScaleModel:
    """A module from windows to log scales (b, horizon), and how many steps it reads."""

    module: nn.Module
    window: int

    def predict(self, table: PriceTable, rows: Rows) -> LocationScale:
        """Return location and scale at `rows`; the location is 0 unless the module has one."""
        scales, locations = [], []
        with torch.no_grad():
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                part = rows[start : start + _ROWS_AT_ONCE]
                scales.append(self.module(table.windows(part, self.window)).exp().numpy())
                if isinstance(self.module, HasLocation):
                    candles = table.candle_windows(part, self.window)
                    locations.append(self.module.location(*candles).numpy())
        scale = np.concatenate(scales)
        return LocationScale(np.concatenate(locations) if locations else np.zeros_like(scale), scale)


class BlendScale(nn.Module):
    """The mean of the members' scales.

    The members' shapes are calibrated on the same residual dates, so averaging scales and calibrating anew
    is averaging quantiles and calibrating anew, up to the small difference between their shapes.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, columns: PriceColumns) -> Tensor:
        """Return log scales, float64; each member reads the last of the steps it needs."""
        scales = [member(columns).exp() for member in self.members]
        mean: Tensor = torch.stack(scales).mean(dim=0)
        return mean.log()
