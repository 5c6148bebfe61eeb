"""Walk forward: fit before each fold, forecast it, calibrate on what earlier folds left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.folds import Fold
from make_us_rich.models.baselines import backtest_baseline
from make_us_rich.models.calibration import calibrated_shape
from make_us_rich.models.forecast import NAIVE_BASELINES, FloatArray
from make_us_rich.models.price_table import PriceTable, Rows

_ROWS_AT_ONCE = 2048

OnStep = Callable[[int, int], None]
OnProgress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class PriceCandidate:
    """A recipe: `fit(table, rows, on_step)` returns a module from windows to log scales (b, horizon).

    `rows` are those whose targets the fit may know; `window` is how many steps the module reads.
    """

    name: str
    window: int
    fit: Callable[[PriceTable, Rows, OnStep | None], nn.Module]


@dataclass(frozen=True, slots=True)
class WalkForward:
    """The outer-fold backtest, and per candidate held-out residuals (n candles, horizon), NaN where none."""

    backtest: Backtest
    residuals: dict[str, FloatArray]


def run_walk_forward(
    table: PriceTable,
    candidates: Sequence[PriceCandidate],
    folds: Sequence[Fold],
    on_progress: OnProgress | None = None,
) -> WalkForward:
    """Run every candidate through every fold; `on_progress` gets a line of text and the share done."""
    residuals = {c.name: np.full((len(table), len(table.horizons)), np.nan) for c in candidates}
    pieces: dict[str, list[FloatArray]] = {c.name: [] for c in candidates}
    for fold in folds:
        rows = np.arange(fold.test_start, fold.test_end)
        for candidate in candidates:
            scale = _fold_scale(table, candidate, fold, len(folds), on_progress)
            if fold.is_outer:
                known = closed_residuals(residuals[candidate.name], fold.test_start, table.horizons)
                shape = calibrated_shape(known, table.horizons, table.timeframe)
                pieces[candidate.name].append(scale[..., None] * shape)
            residuals[candidate.name][rows] = table.returns(rows) / scale
    return WalkForward(_backtest(table, folds, pieces), residuals)


def predict_scale(module: nn.Module, table: PriceTable, rows: Rows, window: int) -> FloatArray:
    """Return the scale (row, horizon) of the log return after each row."""
    parts = []
    with torch.no_grad():
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            windows = table.windows(rows[start : start + _ROWS_AT_ONCE], window)
            parts.append(module(windows).exp().numpy())
    return np.concatenate(parts)


def closed_residuals(residuals: FloatArray, end: int, horizons: tuple[int, ...]) -> FloatArray:
    """Return the residuals whose target had closed before row `end`; the others are NaN."""
    known = residuals[:end].copy()
    for j, h in enumerate(horizons):
        known[max(0, end - h) :, j] = np.nan
    return known


def _fold_scale(
    table: PriceTable, candidate: PriceCandidate, fold: Fold, n_folds: int, on_progress: OnProgress | None
) -> FloatArray:
    def on_step(done: int, total: int) -> None:
        if on_progress is not None:
            part = done / total if total else 1.0
            on_progress(
                f"{candidate.name}: fold {fold.index + 1} of {n_folds}", (fold.index + part) / n_folds
            )

    rows = table.usable_rows(0, fold.test_start, candidate.window)
    module = candidate.fit(table, rows, on_step)
    return predict_scale(module, table, np.arange(fold.test_start, fold.test_end), candidate.window)


def _backtest(table: PriceTable, folds: Sequence[Fold], pieces: dict[str, list[FloatArray]]) -> Backtest:
    outer = [fold for fold in folds if fold.is_outer]
    rows = np.arange(outer[0].test_start, outer[-1].test_end)
    close = np.exp(table.log_close)
    quantiles = {
        name: backtest_baseline(name, close, rows, table.timeframe, table.horizons)
        for name in NAIVE_BASELINES
    }
    return Backtest(
        timeframe=table.timeframe,
        horizons=table.horizons,
        cutoff_ms=table.open_time_ms[rows] + table.timeframe.milliseconds,
        fold=np.repeat([f.index for f in outer], [f.test_end - f.test_start for f in outer]),
        last_close=close[rows],
        week_volatility=table.week_volatility(rows),
        returns=table.returns(rows),
        quantiles=quantiles | {name: np.concatenate(parts) for name, parts in pieces.items()},
    )
