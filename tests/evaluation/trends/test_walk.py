from collections.abc import Callable

import numpy as np
import pytest

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import DataError
from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.evaluation.trends.folds import cut_folds, plan_folds
from make_us_rich.evaluation.trends.table import TrendTable
from make_us_rich.evaluation.trends.walk import FitTrend, Question, choose, run_trend_walk

MakeTable = Callable[..., TrendTable]


class Constant:
    """Always says the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def probability(self, features: FloatArray) -> FloatArray:
        return np.full(len(features), self.value)


class Knowing:
    """Says one thing up to some fit, and another from then on."""

    def __init__(self, values: list[float]) -> None:
        self.values = values
        self.calls = 0

    def __call__(self, features: FloatArray, labels: FloatArray) -> Constant:
        self.calls += 1
        return Constant(self.values[min(self.calls - 1, len(self.values) - 1)])


@pytest.fixture(scope="session")
def question(make_table: MakeTable) -> Question:
    table = make_table(1300)
    return Question(table, "up", cut_folds(table, plan_folds(int(table.cutoff_ms[-1]), 10, 86_400_000)))


def fits(**values: float) -> dict[str, FitTrend]:
    return {name: (lambda features, labels, value=value: Constant(value)) for name, value in values.items()}


def test_the_better_candidate_is_chosen_in_every_fold(question: Question) -> None:
    walk = run_trend_walk(question, fits(wild=0.99, sober=0.3))
    assert set(walk.chosen.values()) == {"sober"}
    assert walk.winner == "sober"
    assert np.array_equal(walk.outer().probability[POOL], walk.outer().probability["sober"])


def test_a_fold_is_never_chosen_by_itself(question: Question) -> None:
    # right in both warm-up folds and wrong from then on: only later folds can notice
    late = Knowing([0.3, 0.3, 0.999])
    walk = run_trend_walk(question, fits(steady=0.6) | {"late": late})
    outer = [fold.index for fold in question.folds if fold.is_outer]
    assert walk.chosen[outer[0]] == "late"
    assert walk.chosen[outer[-1]] == "steady"


def test_days_that_were_decided_within_a_fold_do_not_choose_for_it(question: Question) -> None:
    first = next(fold for fold in question.folds if fold.is_outer)
    start, horizon = int(first.test[0]), question.table.label.horizon
    names = ("before", "within")
    probability = {name: np.full(len(question.table), 0.5) for name in names}
    labels = question.labels
    probability["before"][: start - horizon] = labels[: start - horizon]
    probability["within"][start - horizon : start] = labels[start - horizon : start]
    assert choose(question, probability, names, first.index) == "before"
    probability["before"][: start - horizon] = 0.5
    assert choose(question, probability, names, first.index) == "before", "a tie: the first is taken"


def test_each_candidate_is_fitted_once_a_fold(question: Question) -> None:
    counted = Knowing([0.5])
    run_trend_walk(question, {"counted": counted})
    assert counted.calls == len(question.folds)


def test_a_fit_gets_nothing_that_was_decided_later(question: Question) -> None:
    seen: list[int] = []

    def watch(features: FloatArray, labels: FloatArray) -> Constant:
        seen.append(len(features))
        assert np.isfinite(labels).all()
        return Constant(0.5)

    run_trend_walk(question, {"watch": watch})
    assert seen == [len(fold.train) for fold in question.folds]


def test_a_candidate_that_cannot_be_fitted_is_dropped_with_its_reason(question: Question) -> None:
    def refuse(features: FloatArray, labels: FloatArray) -> Constant:
        raise DataError("all labels are 0")

    walk = run_trend_walk(question, fits(sober=0.3) | {"refusing": refuse})
    assert walk.dropped == {"refusing": "all labels are 0"}
    with pytest.raises(DataError, match=r"SOL/USDT up: no candidate could be fitted \(all labels"):
        run_trend_walk(question, {"refusing": refuse})


def test_candidates_that_come_too_late_are_dropped(question: Question) -> None:
    walk = run_trend_walk(
        question, fits(sober=0.3, slow=0.3), iter([False] * len(question.folds) + [True] * 99).__next__
    )
    assert list(walk.dropped) == ["slow"]


def test_the_baselines_stand_beside_the_pool_on_the_same_rows(question: Question) -> None:
    outer = run_trend_walk(question, fits(sober=0.3)).outer()
    assert set(outer.probability) == {"base_rate", "momentum", "random_walk", "sober", POOL}
    assert all(np.isfinite(said).all() for said in outer.probability.values())
    assert np.isfinite(outer.outcome).all()
