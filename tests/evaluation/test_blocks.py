import math

import numpy as np
import pytest

from make_us_rich.evaluation.blocks import (
    BlockMeans,
    block_milliseconds,
    diebold_mariano_p_value,
    whole_blocks,
)
from make_us_rich.market.timeframe import Timeframe

HOUR = 3_600_000
WEEK = 168 * HOUR
HOURLY = Timeframe("1h")


def test_a_block_is_a_week_or_five_horizons() -> None:
    assert block_milliseconds(24, HOURLY) == WEEK
    assert block_milliseconds(48, HOURLY) == 5 * 48 * HOUR
    assert block_milliseconds(24, Timeframe("1d")) == 120 * 24 * HOUR


def test_blocks_average_whole_weeks_and_drop_the_rest() -> None:
    cutoffs = np.arange(168 * 2 + 50) * HOUR
    values = np.repeat([1.0, 3.0, 100.0], [168, 168, 50])
    assert whole_blocks(values, cutoffs, WEEK, HOURLY).values.tolist() == [1.0, 3.0]


def test_missing_cutoffs_do_not_shift_the_weeks() -> None:
    cutoffs = np.arange(168 * 2) * HOUR
    keep = np.ones(336, dtype=bool)
    keep[10:60] = False
    values = np.repeat([1.0, 3.0], 168)
    assert whole_blocks(values[keep], cutoffs[keep], WEEK, HOURLY).values.tolist() == [1.0, 3.0]


def test_t_test_by_hand() -> None:
    blocks = BlockMeans(np.array([1.0, 2.0, 3.0, 4.0]))
    assert blocks.standard_error == pytest.approx(math.sqrt(5 / 3) / 2)
    assert blocks.p_value_above_zero() == pytest.approx(0.0152, abs=1e-4)  # t = 3.873, 3 degrees


def test_less_than_two_blocks_prove_nothing() -> None:
    for values in ([], [5.0]):
        blocks = BlockMeans(np.array(values))
        assert blocks.p_value_above_zero() == 1.0
        assert math.isinf(blocks.half_width())


def test_block_test_rejects_a_true_null_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    p_values = [BlockMeans(rng.normal(size=20)).p_value_above_zero() for _ in range(2000)]
    assert 0.035 < np.mean(np.array(p_values) < 0.05) < 0.065


def test_diebold_mariano_sees_a_clear_difference_and_no_other() -> None:
    rng = np.random.default_rng(6)
    assert diebold_mariano_p_value(rng.normal(0.5, 1, 400), 1) < 1e-6
    assert diebold_mariano_p_value(rng.normal(-0.5, 1, 400), 24) > 0.99
    assert diebold_mariano_p_value(np.zeros(10), 1) == 1.0
