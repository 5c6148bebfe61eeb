"""Sums and shifts along the candles (b, t), as torch and ONNX Runtime compute them alike in float64."""

import torch
from torch import Tensor


def shift(values: Tensor, n: int) -> Tensor:
    """Values n rows earlier, the first value repeated where there is none."""
    if n == 0:
        return values
    head = values[:, :1].expand(-1, n)
    return torch.cat([head, values[:, :-n]], dim=1)


def rolling_mean(values: Tensor, span: int) -> Tensor:
    """Mean of the last `span` rows, never below 0; of what there is in the first rows."""
    if span == 1:
        return values
    total = torch.cumsum(values, dim=1)
    before = torch.cat([torch.zeros_like(total[:, :span]), total[:, :-span]], dim=1)
    return torch.clamp((total - before) / span, min=0.0)
