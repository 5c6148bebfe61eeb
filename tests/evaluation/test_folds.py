from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.evaluation.folds import SeriesShape, walk_forward
from make_us_rich.market.timeframe import Timeframe

HOURLY = Timeframe("1h")


@given(st.integers(5600, 80_000), st.integers(768, 900), st.sampled_from([1, 24, 48]))
def test_folds_follow_each_other_and_end_where_every_target_is_known(rows: int, warm_up: int, h: int) -> None:
    folds = walk_forward(SeriesShape(rows, warm_up, h, HOURLY))
    assert all(a.test_end == b.test_start for a, b in pairwise(folds))
    assert folds[-1].test_end == rows - h
    assert [fold.is_outer for fold in folds] == [False] * 3 + [True] * 4
    assert all(fold.test_start < fold.test_end for fold in folds)


@given(st.integers(5600, 80_000))
def test_outer_folds_are_the_last_thirty_percent(rows: int) -> None:
    folds = walk_forward(SeriesShape(rows, 768, 24, HOURLY))
    outer = [fold for fold in folds if fold.is_outer]
    assert outer[0].test_start == rows - round(rows * 0.3)


def test_inner_folds_reach_back_one_year_for_the_calibration() -> None:
    folds = walk_forward(SeriesShape(40_000, 768, 24, HOURLY))
    assert folds[3].test_start - folds[0].test_start == 365 * 24


def test_first_fit_has_ninety_days_after_the_warm_up() -> None:
    folds = walk_forward(SeriesShape(6000, 768, 24, HOURLY))
    assert folds[0].test_start == 768 + 90 * 24 + 24


def test_too_short_a_series_is_refused_with_what_it_needs() -> None:
    with pytest.raises(
        NotEnoughHistoryError, match=r"training needs \d+ 1h candles \(\d+ days\), found 3000"
    ):
        walk_forward(SeriesShape(3000, 768, 24, HOURLY))


def test_the_number_it_asks_for_is_enough() -> None:
    with pytest.raises(NotEnoughHistoryError) as refusal:
        walk_forward(SeriesShape(100, 768, 24, HOURLY))
    needed = int(str(refusal.value).split()[2])
    assert walk_forward(SeriesShape(needed, 768, 24, HOURLY))
