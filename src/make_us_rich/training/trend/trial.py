"""A trend trial: one coin and direction run through its folds; nothing is decided or written yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.trends.evidence import OuterForecasts, TrendEvidence, gather_trend_evidence
from make_us_rich.evaluation.trends.folds import FoldPlan, cut_folds
from make_us_rich.evaluation.trends.table import TrendTable
from make_us_rich.evaluation.trends.walk import Question, TrendWalk, run_trend_walk
from make_us_rich.features.trend_labels import Direction
from make_us_rich.models.classifiers.candidates import FittedClassifier, fit_classifier
from make_us_rich.training.trend.experiment import TrendExperiment

FitCandidate = Callable[[NDArray[np.float32], FloatArray], FittedClassifier]


@dataclass(frozen=True, slots=True, eq=False)
class TrendTrial:
    """What a decision rests on: forecasts on outer folds, and the evidence of every forecaster."""

    experiment: TrendExperiment
    walk: TrendWalk
    outer: OuterForecasts
    evidence: Mapping[str, TrendEvidence]

    @property
    def table(self) -> TrendTable:
        """The coin."""
        return self.walk.question.table

    @property
    def direction(self) -> Direction:
        """The direction."""
        return self.walk.question.direction

    @property
    def candidates(self) -> tuple[str, ...]:
        """The candidates that were fitted in every fold."""
        return tuple(name for name in self.experiment.candidates if name in self.evidence)


def run_trend_trial(
    experiment: TrendExperiment,
    table: TrendTable,
    direction: Direction,
    plan: FoldPlan,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> TrendTrial:
    """Walk every candidate forward; raises `NotEnoughHistoryError` before any fit begins."""
    question = Question(table, direction, cut_folds(table, plan))
    walk = run_trend_walk(question, candidate_fits(experiment), is_out_of_time)
    outer = walk.outer()
    evidence = {name: gather_trend_evidence(outer, name, experiment.seed) for name in outer.probability}
    return TrendTrial(experiment, walk, outer, evidence)


def candidate_fits(experiment: TrendExperiment) -> dict[str, FitCandidate]:
    """Return how each candidate of an experiment is fitted."""
    return {name: _fit(name, experiment) for name in experiment.candidates}


def _fit(name: str, experiment: TrendExperiment) -> FitCandidate:
    def fit(features: NDArray[np.float32], labels: FloatArray) -> FittedClassifier:
        return fit_classifier(name, features, labels, seed=experiment.seed, embargo=experiment.label.horizon)

    return fit
