"""Fitted candidates of the scale family: the close stays where it is, how far it moves is forecast."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from make_us_rich.models.location_scale import LocationScale
from make_us_rich.models.price_features import PriceColumns
from make_us_rich.models.price_table import PriceTable, Rows

_ROWS_AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class ScaleModel:
    """A module from windows to log scales (b, horizon), and how many steps it reads."""

    module: nn.Module
    window: int

    def predict(self, table: PriceTable, rows: Rows) -> LocationScale:
        """Return location 0 and the scale at `rows`."""
        parts = []
        with torch.no_grad():
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                windows = table.windows(rows[start : start + _ROWS_AT_ONCE], self.window)
                parts.append(self.module(windows).exp().numpy())
        scale = np.concatenate(parts)
        return LocationScale(np.zeros_like(scale), scale)


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
