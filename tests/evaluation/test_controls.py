"""The controls of the gate in a small size; `make prove WHAT=gate` runs them in full."""

from dataclasses import replace

import numpy as np
import pytest

from make_us_rich.evaluation.controls.direction import LOCATED, direction_claims, with_location
from make_us_rich.evaluation.controls.findings import find_on_walk, p_value
from make_us_rich.evaluation.controls.leaks import PLANTED_FEATURES, leaking_inputs, leaking_table
from make_us_rich.evaluation.controls.normal import NORMAL_QUANTILES
from make_us_rich.evaluation.controls.size import SizeCount, TwoForecasters, count_passes
from make_us_rich.evaluation.controls.tally import (
    LeakFinding,
    error_lines,
    leak_lines,
    lively_lines,
    size_line,
    still_lines,
    table,
)
from make_us_rich.evaluation.controls.trends import trend_lines
from make_us_rich.evaluation.controls.walks import (
    HOURLY,
    ORACLE,
    oracle_scale,
    oracle_shape,
    scale_error,
    simulate_walk,
    with_oracle,
)
from make_us_rich.evaluation.evidence import gather_evidence
from make_us_rich.evaluation.leakage import check_leakage
from make_us_rich.evaluation.scores import horizon_scores, implausible
from make_us_rich.evaluation.walk_forward import run_walk_forward
from make_us_rich.features.feature_set import compute_features, known_features
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.sources.walk import EPOCH, STILL, Climate
from make_us_rich.models.price_features import WARM_UP
from make_us_rich.models.quantiles import BASELINES
from make_us_rich.registry.promotion import judge_horizon
from make_us_rich.training.price.experiment import preset_experiment
from make_us_rich.training.price.trial import run_trial
from make_us_rich.training.trend.control import try_trends

VOLATILITY = preset_experiment("volatility", "BTC/USDT", horizons=[1, 4])
WEEKS = 40
SEEDS = range(2)


def try_walk(climate, seed):
    walk = simulate_walk(climate, seed, WEEKS)
    return walk, run_trial(VOLATILITY, walk.snapshot)


def find(walk, trial):
    return find_on_walk(walk, trial.walk.backtest, trial.table, "volatility", trial.verdicts)


@pytest.fixture(scope="module")
def lively():
    return [try_walk(Climate(), seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def still():
    return [try_walk(STILL, seed) for seed in SEEDS]


@pytest.mark.parametrize("horizon", [1, 24])
def test_equally_good_forecasters_seldom_pass_the_block_test(horizon):
    count = count_passes(TwoForecasters(horizon, half_life_hours=72, weeks=12), replications=80, seed=1)
    assert count.tests == 160
    assert 0.01 <= count.block / count.tests <= 0.10


def test_errors_that_last_for_weeks_deceive_diebold_mariano_far_more_than_the_block_test():
    count = count_passes(TwoForecasters(1, half_life_hours=168, weeks=12), replications=80, seed=1)
    assert count.diebold_mariano / count.tests > 0.15
    assert count.block < 0.7 * count.diebold_mariano


def test_a_truly_better_forecaster_does_pass():
    question = TwoForecasters(1, half_life_hours=24, weeks=12, amplitudes=(0.0, 0.4))
    count = count_passes(question, replications=20, seed=1)
    assert count.tests == 20
    assert count.block >= 19


def test_lively_walk_is_the_simulated_market_itself(lively, bitcoin):
    walk, _ = lively[1]
    end = walk.snapshot.data_end
    page = next(iter(SimulatedSource(seed=1).fetch(bitcoin, HOURLY, EPOCH, end)))
    assert walk.snapshot.candles.drop("filled").head(len(page)).equals(page)


def test_still_walk_moves_by_the_same_normal_law_at_every_hour(still):
    walk, trial = still[0]
    steps = np.diff(trial.table.log_close)
    expected = oracle_scale(STILL, np.zeros(1), np.zeros(1, dtype=np.int64), 1)
    assert not walk.log_volatility.any()
    assert steps.std() == pytest.approx(expected[0], rel=0.03)
    assert oracle_shape(STILL, 4) == pytest.approx(NORMAL_QUANTILES, abs=0.015)


def test_oracle_of_the_lively_walk_is_calibrated_and_beats_everyone(lively):
    covered = []
    for walk, trial in lively:
        known = with_oracle(trial.walk.backtest, walk)
        loss = {name: known.loss(name)[:, 0].mean() for name in known.quantiles}
        assert min(loss, key=loss.get) == ORACLE
        covered.append(horizon_scores(known, ORACLE, 0).coverage[0.9])
    assert np.mean(covered) == pytest.approx(0.90, abs=0.015)


def test_oracle_errs_by_no_scale_and_the_regression_by_a_tenth(lively):
    walk, trial = lively[0]
    known = with_oracle(trial.walk.backtest, walk)
    assert not scale_error(known, ORACLE, 0).any()
    assert 0.05 < scale_error(known, "volatility", 0).std() < 0.25


def test_nothing_is_promoted_on_walks_that_cannot_be_forecast(still):
    findings = [find(*case) for case in still]
    assert [line.kept for line in still_lines(findings)] == [True, None, None, None]
    assert not any(finding.passed[0] for finding in findings)


def test_width_is_promoted_on_lively_walks_but_no_direction_nor_more_than_the_oracle_knows(lively):
    findings = [find(*case) for case in lively]
    assert all(finding.served_by[0] == "volatility" for finding in findings)
    assert all(line.kept is not False for line in [*lively_lines(findings), *error_lines(findings)])
    assert all(0 < finding.skill < finding.oracle_skill for finding in findings)


def test_a_forecaster_that_moves_its_median_claims_a_direction(lively):
    _, trial = lively[0]
    assert direction_claims(trial.walk.backtest) == ()
    assert direction_claims(with_location(trial.walk.backtest, trial.table, "volatility")) == (LOCATED,)


@pytest.fixture(scope="module")
def leaking(lively):
    """A walk, the backtest of the regression that saw the next candle, and the table it saw it in."""
    walk, trial = lively[0]
    seen = leaking_table(trial.table, walk.snapshot.candles)
    return walk, run_walk_forward(seen, trial.candidates, trial.folds).backtest, seen


def test_gate_alone_would_promote_a_model_that_sees_the_next_candle(leaking):
    walk, backtest, _ = leaking
    evidence = {name: gather_evidence(backtest, name)[0] for name in BASELINES}
    assert judge_horizon(evidence, "volatility").passed
    assert p_value(with_oracle(backtest, walk), "volatility", ORACLE) < 0.05  # only the oracle unmasks it


def test_width_that_sees_the_next_candle_is_called_too_good_to_be_true(leaking, lively):
    _, backtest, _ = leaking
    assert "below that of ewma_persistence" in warnings_about(backtest, "volatility")[0]
    assert not warnings_about(lively[0][1].walk.backtest, "volatility")


def warnings_about(backtest, name):
    return implausible(horizon_scores(backtest, name, 0), gather_evidence(backtest, name)[0])


def test_location_that_sees_the_next_candle_is_called_too_good_to_be_true(leaking):
    _, backtest, seen = leaking
    located = with_location(backtest, seen, "volatility")
    warnings = warnings_about(located, LOCATED)
    assert "the direction is right in 100%" in warnings[-2]
    assert "of that of the last close repeated" in warnings[-1]


def test_inputs_that_see_the_next_candle_are_refused(lively):
    candles = lively[0][0].snapshot.candles.head(3000)
    report = check_leakage(leaking_inputs(HOURLY), candles, HOURLY, WARM_UP)
    assert {"step.return_lag1", "regressor.log_volatility_span1", "week_volatility"} <= {
        leak.column for leak in report.leaks
    }


@pytest.mark.parametrize("name", PLANTED_FEATURES)
def test_planted_feature_is_refused_and_no_other(name, lively):
    candles = lively[0][0].snapshot.candles.head(3000)
    features = {**known_features(HOURLY), name: PLANTED_FEATURES[name]}
    report = check_leakage(lambda rows: compute_features(rows, HOURLY, features), candles, HOURLY, WARM_UP)
    assert [leak.column for leak in report.leaks] == [name]


def test_every_bound_breaks_when_it_should(lively):
    finding = find(*lively[0])
    noisy = replace(finding, passed=(True, False), served_by=("volatility", "persistence"))
    assert still_lines([noisy])[0].kept is False
    blind = replace(
        finding,
        against_persistence={"volatility": 0.5},
        against_oracle={"volatility": 0.01},
        passed=(False, False),
        claims=("volatility",),
        location=0.01,
    )
    assert [line.kept for line in lively_lines([blind])] == [False, False, None, False, False, False, None]
    assert size_line(SizeCount(1000, 95, 200), "h = 1", judged=True).kept is False
    assert size_line(SizeCount(1000, 5, 200), "h = 1", judged=True).kept is False
    assert size_line(SizeCount(1000, 95, 200), "h = 1", judged=False).kept is None
    missed = LeakFinding("planted: a shift", is_clean=True, refused=())
    false_alarm = LeakFinding("everything the models read", is_clean=False, refused=("step.range",))
    assert [line.kept for line in leak_lines([missed, false_alarm])] == [False, False]


def test_table_says_what_was_found_and_what_is_broken():
    line = size_line(SizeCount(1000, 95, 200), "h = 1", judged=True)
    shown = "| i | size: h = 1 | 9.5% ± 0.9% of 1000 (Diebold-Mariano 20.0%) | 2% to 8% | **BROKEN** |"
    assert table([line]).splitlines()[2] == shown


def test_published_gate_opens_on_a_walk_where_ours_stays_shut():
    # the share of all 80 walks is counted by the proof of the gate; here one walk and the three quickest
    quick = ("Ridge", "LightGBM", "KNeighbors")
    found = [f for seed in (0, 1) for f in try_trends(STILL, seed, weeks=260, candidates=quick)]
    assert len(found) == 4
    assert sum(f.published for f in found) >= 2
    assert all(f.p_value["random_walk"] >= 0.05 for f in found)
    lines = trend_lines(found, "still")
    assert [line.kept for line in lines if line.kept is not None] == [True, True]
    deceived = [replace(f, p_value={**f.p_value, "random_walk": 0.01}) for f in found]
    assert [line.kept for line in trend_lines(deceived, "still") if line.kept is not None] == [False, False]
