"""Columns of features as models read them: in standard deviations from the mean they were fitted on."""

import numpy as np
import torch
from torch import Tensor, nn

from make_us_rich.arrays import FloatArray

_FARTHEST = 10.0  # standard deviations; what lies beyond is that far, or one odd candle decides a forecast


class InputScaling(nn.Module):
    """Columns (..., k) with gaps to columns without: less their mean, over their standard deviation.

    Mean and deviation are those of the rows it was fitted on, and constants of the graph. A gap is the mean,
    so it becomes 0; so does a column that never changed on those rows, because nothing was learned of it.
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, rows: FloatArray) -> None:
        super().__init__()
        told = np.isfinite(rows)
        count = np.maximum(told.sum(axis=0), 1)
        mean = np.where(told, rows, 0.0).sum(axis=0) / count
        deviation = np.sqrt((np.where(told, rows - mean, 0.0) ** 2).sum(axis=0) / count)
        moves = deviation > 1e-9 * np.abs(mean) + 1e-300
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer(
            "factor", torch.from_numpy(np.where(moves, 1 / np.where(moves, deviation, 1), 0.0))
        )

    def forward(self, columns: Tensor) -> Tensor:
        """Return the scaled columns, float64."""
        told = torch.where(torch.isnan(columns), self.mean, columns)
        return torch.clamp((told - self.mean) * self.factor, -_FARTHEST, _FARTHEST)
