"""Walk forward with a pool of candidates: fitted before every fold, and chosen on the folds before it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import DataError
from make_us_rich.evaluation.trends.evidence import POOL, OuterForecasts
from make_us_rich.evaluation.trends.folds import TrendFold, outer_rows
from make_us_rich.evaluation.trends.scores import brier_losses, published_scores
from make_us_rich.evaluation.trends.table import TrendTable
from make_us_rich.features.trend_labels import Direction
from make_us_rich.models.trend_baselines import (
    base_rate,
    fit_momentum,
    random_walk_probability,
)


class FittedTrend(Protocol):
    """A fitted candidate."""

    def probability(self, features: NDArray[np.float32]) -> FloatArray:
        """Calibrated probability (n,) of the event for features (n, 19)."""


FitTrend = Callable[[NDArray[np.float32], FloatArray], FittedTrend]


@dataclass(frozen=True, slots=True)
class Question:
    """What a walk is about: one coin and one direction, cut into folds."""

    table: TrendTable
    direction: Direction
    folds: tuple[TrendFold, ...]

    @property
    def labels(self) -> FloatArray:
        """Whether the event came (n,)."""
        return self.table.labels[self.direction]


@dataclass(frozen=True, slots=True, eq=False)
class TrendWalk:
    """Probabilities (n candles,) by forecaster, NaN outside the folds.

    `announced` says where a probability reached the training base rate, the cut of the published counts.
    `chosen` names the candidate of each outer fold, `winner` the one all folds speak for. `dropped` says in
    one line each why a candidate is missing.
    """

    question: Question
    probability: Mapping[str, FloatArray]
    announced: Mapping[str, NDArray[np.bool_]]
    chosen: Mapping[int, str]
    winner: str
    dropped: Mapping[str, str] = field(default_factory=dict)

    def outer(self) -> OuterForecasts:
        """Return what was said on the folds nobody chose on."""
        question = self.question
        rows = outer_rows(question.folds)
        outer = [fold for fold in question.folds if fold.is_outer]
        return OuterForecasts(
            timeframe=question.table.timeframe,
            cutoff_ms=question.table.cutoff_ms[rows],
            fold=np.repeat([fold.index for fold in outer], [len(fold.test) for fold in outer]),
            outcome=question.labels[rows],
            probability={name: p[rows] for name, p in self.probability.items()},
        )

    def published(self, name: str) -> dict[str, float]:
        """Return the published scores of a candidate on outer rows."""
        rows = outer_rows(self.question.folds)
        return published_scores(self.question.labels[rows], self.announced[name][rows]).to_dict()


def run_trend_walk(
    question: Question,
    candidates: Mapping[str, FitTrend],
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> TrendWalk:
    """Fit every candidate before every fold; one that cannot be fitted, or not in time, is left out."""
    probability = _baseline_probabilities(question)
    announced: dict[str, NDArray[np.bool_]] = {}
    dropped: dict[str, str] = {}
    for name, fit in candidates.items():
        try:
            said = _candidate_probabilities(question, fit, is_out_of_time)
        except DataError as error:
            dropped[name] = str(error)
            continue
        if said is None:
            dropped[name] = "the time budget of its coin was used up"
            continue
        probability[name], announced[name] = said
    left = [name for name in candidates if name in announced]
    if not left:
        raise DataError(_nothing_left(question, dropped))
    chosen = {
        fold.index: choose(question, probability, left, fold.index)
        for fold in question.folds
        if fold.is_outer
    }
    winner = choose(question, probability, left, question.folds[-1].index + 1)
    probability[POOL], announced[POOL] = _follow(question, chosen, probability, announced)
    return TrendWalk(question, probability, announced, chosen, winner, dropped)


def choose(
    question: Question, probability: Mapping[str, FloatArray], names: Sequence[str], before: int
) -> str:
    """Return the candidate with the lowest Brier score on the folds before fold `before`.

    The embargo is the horizon, as in a fit: days whose event was decided within that fold do not count.
    """
    rows = np.concatenate([fold.test for fold in question.folds if fold.index < before])
    start = next((int(fold.test[0]) for fold in question.folds if fold.index == before), None)
    if start is not None:
        rows = rows[rows < start - question.table.label.horizon]
    outcome = question.labels[rows]
    return min(names, key=lambda name: float(brier_losses(outcome, probability[name][rows]).mean()))


def _baseline_probabilities(question: Question) -> dict[str, FloatArray]:
    table, labels = question.table, question.labels
    ohlcv, label = table.candles.ohlcv, table.label
    said = {name: np.full(len(table), np.nan) for name in ("base_rate", "momentum", "random_walk")}
    walk = random_walk_probability(ohlcv, label, question.direction)
    for fold in question.folds:
        momentum = fit_momentum(ohlcv, labels, fold.train)
        said["base_rate"][fold.test] = base_rate(labels, fold.train)
        said["momentum"][fold.test] = momentum.probability(ohlcv)[fold.test]
        said["random_walk"][fold.test] = walk[fold.test]
    return said


def _candidate_probabilities(
    question: Question, fit: FitTrend, is_out_of_time: Callable[[], bool]
) -> tuple[FloatArray, NDArray[np.bool_]] | None:
    table, labels = question.table, question.labels
    probability, announced = np.full(len(table), np.nan), np.zeros(len(table), dtype=bool)
    for fold in question.folds:
        if is_out_of_time():
            return None
        fitted = fit(table.features[fold.train], labels[fold.train])
        probability[fold.test] = fitted.probability(table.features[fold.test])
        announced[fold.test] = probability[fold.test] >= base_rate(labels, fold.train)
    return probability, announced


def _follow(
    question: Question,
    chosen: Mapping[int, str],
    probability: Mapping[str, FloatArray],
    announced: Mapping[str, NDArray[np.bool_]],
) -> tuple[FloatArray, NDArray[np.bool_]]:
    said, called = np.full(len(question.table), np.nan), np.zeros(len(question.table), dtype=bool)
    for fold in question.folds:
        if fold.is_outer:
            said[fold.test] = probability[chosen[fold.index]][fold.test]
            called[fold.test] = announced[chosen[fold.index]][fold.test]
    return said, called


def _nothing_left(question: Question, dropped: Mapping[str, str]) -> str:
    return (
        f"{question.table.symbol} {question.direction}: no candidate could be fitted "
        f"({next(iter(dropped.values()))})"
    )
