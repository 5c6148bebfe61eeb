import math

import numpy as np
import pytest

from make_us_rich.evaluation.diagnostics import (
    move_by_width,
    ratio_estimate,
    relative_loss_by_hour,
    reliability,
)
from make_us_rich.models.quantiles import QUANTILE_LEVELS


def test_true_quantiles_hold_what_they_state_within_their_intervals(make_backtest):
    estimates = reliability(make_backtest({"true": 1.0}, weeks=30), "true", 0)
    off = [abs(e.value - level) for e, level in zip(estimates, QUANTILE_LEVELS, strict=True)]
    assert max(off) < 0.02
    within = [o <= e.half_width for o, e in zip(off, estimates, strict=True)]
    assert sum(within) >= 10  # of 13 intervals of 95 %, which lean on each other


def test_quantiles_twice_too_wide_hold_too_much(make_backtest):
    estimates = reliability(make_backtest({"wide": 2.0}), "wide", 0)
    assert estimates[1].value == pytest.approx(0.0005, abs=0.003)
    assert estimates[1].n == 1680


def test_loss_by_hour_equals_the_sums_of_that_hour(make_backtest):
    backtest = make_backtest({"a": 1.0, "b": 1.5}, weeks=2)
    loss, baseline = backtest.loss("a")[:, 0], backtest.loss("b")[:, 0]
    by_hour = relative_loss_by_hour(backtest, loss, baseline, 0)
    assert list(by_hour) == list(range(24))
    assert by_hour[5].value == pytest.approx(loss[5::24].sum() / baseline[5::24].sum())
    assert by_hour[5].n == 14


def test_forecaster_that_knows_the_scale_puts_wide_intervals_before_large_moves(make_backtest):
    backtest = make_backtest({"blind": 1.0, "knowing": 1.0})
    loud = np.arange(len(backtest)) % 2 == 0
    backtest.returns[loud] *= 3
    backtest.quantiles["knowing"][loud] *= 3
    bins = move_by_width(backtest, "knowing", 0, n_bins=2)
    assert bins[1].width == pytest.approx(3 * bins[0].width)
    assert bins[1].move.value == pytest.approx(3 * bins[0].move.value, rel=0.1)
    assert [b.move.n for b in bins] == [840, 840]
    blind = move_by_width(backtest, "blind", 0, n_bins=2)
    assert blind[1].width == pytest.approx(blind[0].width)


def test_mean_of_a_constant_has_an_interval_of_no_width(make_backtest):
    backtest = make_backtest({"a": 1.0})
    everything = np.ones(len(backtest))
    estimate = ratio_estimate(backtest, 3 * everything, everything, 0)
    assert (estimate.value, estimate.half_width) == (3.0, 0.0)


def test_ratio_that_is_the_same_in_every_row_has_an_interval_of_no_width(make_backtest):
    backtest = make_backtest({"a": 1.0})
    weights = np.arange(1.0, len(backtest) + 1)
    estimate = ratio_estimate(backtest, 2 * weights, weights, 0)
    assert estimate.value == pytest.approx(2.0)
    assert estimate.half_width == pytest.approx(0.0, abs=1e-12)


def test_interval_equals_the_t_interval_of_the_block_means(make_backtest):
    backtest = make_backtest({"a": 1.0}, weeks=4)
    values = backtest.returns[:, 0]
    means = values.reshape(4, 168).mean(axis=1)
    estimate = ratio_estimate(backtest, values, np.ones(len(values)), 0)
    assert estimate.half_width == pytest.approx(3.182446 * means.std(ddof=1) / 2, rel=1e-5)


def test_interval_is_unknown_below_two_whole_blocks_and_the_ratio_where_nothing_takes_part(make_backtest):
    backtest = make_backtest({"a": 1.0}, weeks=1)
    everything = np.ones(len(backtest))
    assert math.isinf(ratio_estimate(backtest, everything, everything, 0).half_width)
    assert math.isnan(ratio_estimate(backtest, everything, 0 * everything, 0).value)
