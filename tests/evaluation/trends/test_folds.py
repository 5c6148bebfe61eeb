from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.evaluation.trends.folds import FoldPlan, cut_folds, outer_rows, plan_folds
from make_us_rich.evaluation.trends.table import TrendTable

DAY_MS = 86_400_000
MakeTable = Callable[..., TrendTable]


def end_of(table: TrendTable) -> FoldPlan:
    return plan_folds(int(table.cutoff_ms[-1]), table.label.horizon, DAY_MS)


def test_the_first_two_folds_are_there_to_choose_on(make_table: MakeTable) -> None:
    table = make_table(1300)
    folds = cut_folds(table, end_of(table))
    assert [fold.is_outer for fold in folds] == [False, False, *[True] * (len(folds) - 2)]


@given(gap=st.integers(0, 200), seed=st.integers(0, 5))
def test_what_a_fit_knows_was_decided_before_its_fold(make_table: MakeTable, gap: int, seed: int) -> None:
    table = make_table(1300, seed=seed)
    plan = FoldPlan(int(table.cutoff_ms[-1]) - (10 + gap) * DAY_MS)
    for fold in cut_folds(table, plan):
        assert fold.train[-1] + table.label.horizon < fold.test[0]


def test_all_coins_are_cut_on_the_same_days(make_table: MakeTable) -> None:
    old, young = make_table(1300), make_table(1100, first=18_150)
    plan = end_of(old)
    starts = [
        {fold.index: int(table.cutoff_ms[fold.test[0]]) for fold in cut_folds(table, plan)}
        for table in (old, young)
    ]
    shared = starts[0].keys() & starts[1].keys()
    assert len(shared) > 2
    assert all(starts[0][index] == starts[1][index] for index in shared)


def test_a_coin_whose_candles_end_early_keeps_its_own_last_folds(make_table: MakeTable) -> None:
    long, ended = make_table(1300), make_table(900)
    folds = cut_folds(ended, end_of(long))
    assert table_end(ended) - int(ended.cutoff_ms[folds[-1].test[-1]]) == ended.label.horizon * DAY_MS


def table_end(table: TrendTable) -> int:
    return int(table.cutoff_ms[-1])


def test_folds_follow_each_other_without_a_hole(make_table: MakeTable) -> None:
    table = make_table(1300)
    rows = outer_rows(cut_folds(table, end_of(table)))
    assert np.array_equal(rows, np.arange(rows[0], rows[-1] + 1))


def test_sixty_days_are_refused_with_the_number_that_is_needed(make_table: MakeTable) -> None:
    table = make_table(60)
    with pytest.raises(
        NotEnoughHistoryError, match=r"SOL/USDT 1d: 60 candles, .* needs about \d+; fetch more"
    ):
        cut_folds(table, end_of(table))
