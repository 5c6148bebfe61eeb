"""The pool tried on walks that have no trend: control iv of the gate."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import DataError
from make_us_rich.evaluation.controls.trends import (
    TrendFinding,
    published_gate_opens,
    simulate_days,
    trend_finding,
)
from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.evaluation.trends.folds import FoldPlan, plan_folds
from make_us_rich.evaluation.trends.table import TrendTable
from make_us_rich.features.trend_labels import Direction
from make_us_rich.market.sources.walk import Climate
from make_us_rich.training.trend.experiment import CANDIDATES, TrendExperiment, preset_trend
from make_us_rich.training.trend.trial import FitCandidate, candidate_fits, run_trend_trial

_PUBLISHED_CUT = 0.5
Features = NDArray[np.float32]


def try_trends(
    climate: Climate, seed: int, weeks: int, candidates: tuple[str, ...] = CANDIDATES
) -> list[TrendFinding]:
    """Return what the pool and the published gate came to on one walk, in both directions."""
    table = simulate_days(climate, seed, weeks)
    experiment = preset_trend(str(table.symbol), seed=seed, candidates=list(candidates))
    folds = plan_folds(
        int(table.cutoff_ms[-1]),
        table.label.horizon,
        table.timeframe.milliseconds,
        **experiment.folds.model_dump(),
    )
    return [_try_direction(table, direction, experiment, folds) for direction in experiment.directions]


def _try_direction(
    table: TrendTable, direction: Direction, experiment: TrendExperiment, folds: FoldPlan
) -> TrendFinding:
    callers = {name: _published_call(fit) for name, fit in candidate_fits(experiment).items()}
    try:
        trial = run_trend_trial(experiment, table, direction, folds)
        opened = published_gate_opens(table, direction, callers)
    except DataError as error:
        return TrendFinding(direction, {}, {}, 0, published=False, refused=str(error))
    return trend_finding(direction, trial.evidence[POOL], published=opened)


def _published_call(fit: FitCandidate) -> Callable[[Features, FloatArray, Features], NDArray[np.bool_]]:
    # as published, the class weights of the fit stand uncorrected, and one half is the cut
    def call(known: Features, labels: FloatArray, test: Features) -> NDArray[np.bool_]:
        return fit(known, labels).raw_probability(test) >= _PUBLISHED_CUT

    return call
