"""Which inputs a price model leans on: permutation importance on forecasts it had not seen.

Breiman, "Random Forests", Machine Learning 45 (2001): an input's values are dealt out anew among the rows,
and what the loss rises by is what the model had from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.models.price_features import PriceColumns, PriceFeatures
from make_us_rich.models.price_graph import FittedScale
from make_us_rich.models.price_table import PriceTable, Rows
from make_us_rich.models.scale_model import HasLocation

N_ROWS = 512


@dataclass(frozen=True, slots=True)
class InputImportance:
    """By how many percent the quantile loss (per horizon) rises when one input is shuffled."""

    name: str
    loss_increase_percent: tuple[float, ...]


def permutation_importance(
    fitted: FittedScale, table: PriceTable, rows: Rows, seed: int
) -> tuple[InputImportance, ...]:
    """Shuffle each named input among up to `N_ROWS` of `rows`; inputs of one name move together.

    A model that reads raw candles has no named inputs of ours and gets no answer.
    """
    if isinstance(fitted.model.module, HasLocation):
        return ()
    chosen = rows[np.linspace(0, len(rows) - 1, min(N_ROWS, len(rows))).astype(np.int64)]
    columns = table.windows(chosen, fitted.model.window)
    loss = _mean_loss(fitted, table.returns(chosen))
    features = PriceFeatures(table.timeframe, table.inputs)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(chosen)))
    base = loss(columns)
    importance = [
        InputImportance(
            name, tuple(float(v) for v in 100 * (loss(_shuffled(columns, features, name, order)) / base - 1))
        )
        for name in dict.fromkeys(
            (
                *features.step_names,
                *features.regressor_names[1:],
                *features.context_names,
                *features.further_names,
            )
        )
    ]
    return tuple(sorted(importance, key=lambda item: -item.loss_increase_percent[0]))


def _mean_loss(fitted: FittedScale, returns: FloatArray) -> Callable[[PriceColumns], FloatArray]:
    def loss(columns: PriceColumns) -> FloatArray:
        with torch.no_grad():
            scale = fitted.model.module(columns).exp().numpy()
        mean: FloatArray = quantile_loss(scale[..., None] * fitted.shape, returns).mean(axis=0)
        return np.maximum(mean, 1e-300)

    return loss


def _shuffled(columns: PriceColumns, features: PriceFeatures, name: str, order: torch.Tensor) -> PriceColumns:
    steps, regressors, context, further = columns.steps, columns.regressors, columns.context, columns.further
    if name in features.step_names:
        steps = steps.clone()
        position = features.step_names.index(name)
        steps[..., position] = steps[order][..., position]
    if name in features.regressor_names:
        regressors = regressors.clone()
        position = features.regressor_names.index(name)
        regressors[..., position] = regressors[order][..., position]
    if name in features.context_names:
        context = context.clone()
        position = features.context_names.index(name)
        context[..., position] = context[order][..., position]
    if further is not None and name in features.further_names:
        further = further.clone()
        position = features.further_names.index(name)
        further[..., position] = further[order][..., position]
    return columns._replace(steps=steps, regressors=regressors, context=context, further=further)
