"""Walk forward: fit before each fold, forecast it, calibrate on what earlier folds left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.folds import Fold
from make_us_rich.models.baselines import backtest_baseline
from make_us_rich.models.calibration import calibrated_shape
from make_us_rich.models.location_scale import FittedPrice
from make_us_rich.models.price_table import PriceTable, Rows
from make_us_rich.models.quantiles import NAIVE_BASELINES

OnStep = Callable[[int, int], None]
OnProgress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class FitJob:
    """What a fit may use: `rows` whose targets it may know, and what was fitted on them before it.

    `previous` is what the candidates came to in the fold before, on fewer rows; empty in the first.
    """

    table: PriceTable
    rows: Rows
    fitted: Mapping[str, FittedPrice]
    previous: Mapping[str, FittedPrice]
    on_step: OnStep | None = None


@dataclass(frozen=True, slots=True)
class PriceCandidate:
    """A recipe; `window` is how many past steps it reads, which a fit needs before its first row."""

    name: str
    window: int
    fit: Callable[[FitJob], FittedPrice]


@dataclass(frozen=True, slots=True)
class WalkForward:
    """The outer-fold backtest, and per candidate held-out residuals (n candles, horizon), NaN where none.

    `last_fitted` is what the candidates came to in the last fold.
    """

    backtest: Backtest
    residuals: dict[str, FloatArray]
    last_fitted: Mapping[str, FittedPrice] = field(default_factory=dict)


def run_walk_forward(
    table: PriceTable,
    candidates: Sequence[PriceCandidate],
    folds: Sequence[Fold],
    on_progress: OnProgress | None = None,
) -> WalkForward:
    """Run every candidate through every fold; `on_progress` gets a line of text and the share done."""
    residuals = {c.name: np.full((len(table), len(table.horizons)), np.nan) for c in candidates}
    pieces: dict[str, list[FloatArray]] = {c.name: [] for c in candidates}
    fitted: Mapping[str, FittedPrice] = {}
    for fold in folds:
        rows = np.arange(fold.test_start, fold.test_end)
        where = f"fold {fold.index + 1} of {len(folds)}"
        on_fit = _on_fold(where, fold, len(folds), on_progress)
        fitted = fit_all(table, candidates, fold.test_start, fitted, on_fit)
        for name, fit in fitted.items():
            forecast = fit.predict(table, rows)
            if fold.is_outer:
                known = closed_residuals(residuals[name], fold.test_start, table.horizons)
                shape = calibrated_shape(known, table.horizons, table.timeframe)
                pieces[name].append(forecast.quantiles(shape))
            residuals[name][rows] = forecast.residuals(table.returns(rows))
    return WalkForward(_backtest(table, folds, pieces), residuals, fitted)


def fit_all(
    table: PriceTable,
    candidates: Sequence[PriceCandidate],
    end: int,
    previous: Mapping[str, FittedPrice],
    on_progress: OnProgress | None = None,
) -> dict[str, FittedPrice]:
    """Fit the candidates in their order on every row whose targets had closed before row `end`.

    `previous` must have been fitted with an earlier `end`: what begins there knows no more than these rows.
    """
    fitted: dict[str, FittedPrice] = {}
    for position, candidate in enumerate(candidates):

        def on_step(done: int, total: int, name: str = candidate.name, before: int = position) -> None:
            if on_progress is not None:
                on_progress(name, (before + done / max(total, 1)) / len(candidates))

        rows = table.usable_rows(0, end, candidate.window)
        fitted[candidate.name] = candidate.fit(FitJob(table, rows, dict(fitted), previous, on_step))
    return fitted


def closed_residuals(residuals: FloatArray, end: int, horizons: tuple[int, ...]) -> FloatArray:
    """Return the residuals whose target had closed before row `end`; the others are NaN."""
    known = residuals[:end].copy()
    for j, h in enumerate(horizons):
        known[max(0, end - h) :, j] = np.nan
    return known


def _on_fold(where: str, fold: Fold, n_folds: int, on_progress: OnProgress | None) -> OnProgress | None:
    if on_progress is None:
        return None
    return lambda name, share: on_progress(f"{name}: {where}", (fold.index + share) / n_folds)


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
