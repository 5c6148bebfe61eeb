from dataclasses import replace

import numpy as np
import pytest

from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.models.trend_onnx import TrendClassifier
from make_us_rich.training.parallel import process_executors, run_until_done
from make_us_rich.training.pool import FITTING
from make_us_rich.training.trend.judgement import judge_pool

from .conftest import QUICK, train_here


def results_of(outcome):
    return [one.fit.content for one in outcome.fitted]


@pytest.fixture(scope="module")
def outcomes(make_task):
    return train_here([make_task("SOL"), make_task("ETH")])


def test_every_coin_gets_both_directions(outcomes):
    names = [result.name for outcome in outcomes for result in results_of(outcome)]
    assert names == [
        "trend-up.SOL-USDT.1d",
        "trend-down.SOL-USDT.1d",
        "trend-up.ETH-USDT.1d",
        "trend-down.ETH-USDT.1d",
    ]


def test_every_candidate_is_exported_and_says_the_same_on_every_outer_row(outcomes):
    for outcome in outcomes:
        for result in results_of(outcome):
            assert set(result.models.onnx) == set(QUICK)
            assert max(result.models.parity.values()) <= 1e-5
            features, expected = result.models.golden
            said = TrendClassifier(result.models.onnx[result.winner]).probability(features)
            assert said == pytest.approx(expected, abs=1e-5)


def test_the_evidence_names_every_candidate_every_baseline_and_the_pool(outcomes):
    result = results_of(outcomes[0])[0]
    assert set(result.evidence) == {*QUICK, POOL, "base_rate", "momentum", "random_walk"}
    assert all(record.n == result.evidence[POOL].n > 300 for record in result.evidence.values())
    assert set(result.published) == {*QUICK, POOL}


def test_the_same_seed_gives_the_same_models(outcomes, make_task):
    (again,) = train_here([make_task("SOL")])
    assert dict(results_of(again)[0].models.onnx) == dict(results_of(outcomes[0])[0].models.onnx)


def test_a_coin_that_fails_leaves_the_others_alone(make_task):
    lost = replace(make_task("SOL"), snapshot_hash="0" * 64)
    told = []
    failed, trained = train_here([lost, make_task("ETH", directions=["up"])], told.append)
    assert len(told) == 2
    assert not failed.fitted
    assert set(failed.failures) == {"trend-up.SOL-USDT.1d", "trend-down.SOL-USDT.1d"}
    assert [result.name for result in results_of(trained)] == ["trend-up.ETH-USDT.1d"]


def test_a_short_history_is_one_clear_line(make_task):
    (outcome,) = train_here([make_task("SOL", days=400)])
    assert outcome.failures["trend-up.SOL-USDT.1d"].startswith(
        "SOL/USDT 1d: 400 candles, a trend model needs"
    )


def test_a_budget_that_is_used_up_leaves_candidates_out(make_task):
    (outcome,) = train_here([make_task("SOL", budget_seconds=1e-9)])
    assert "no candidate could be fitted (the time budget" in outcome.failures["trend-up.SOL-USDT.1d"]


def test_nothing_is_promoted_on_a_market_without_trends(outcomes):
    judgement = judge_pool([result for outcome in outcomes for result in results_of(outcome)])
    assert [verdict.passed for verdict in judgement.verdicts.values()] == [False] * 4
    assert {test.coins for tests in judgement.pooled.values() for test in tests.values()} == {2}


def test_an_oracle_is_promoted_only_with_the_others(outcomes):
    results = [result for outcome in outcomes for result in results_of(outcome) if result.direction == "up"]
    seeing = [_seeing(result) for result in results]
    assert all(verdict.passed for verdict in judge_pool(seeing).verdicts.values())
    judgement = judge_pool([seeing[0], results[1]])
    alone, blind = judgement.verdicts.values()
    assert not blind.passed
    assert alone.passed == all(test.p_value < 0.05 for test in judgement.pooled["up"].values())


@pytest.mark.slow
def test_processes_give_what_one_process_gives(outcomes, make_task):
    tasks = [make_task("SOL"), make_task("ETH")]
    found = run_until_done(FITTING, tasks, process_executors(2), lambda outcome: None)
    for here, there in zip(outcomes, found, strict=True):
        assert here.symbol == there.symbol
        assert dict(results_of(here)[0].models.onnx) == dict(results_of(there)[0].models.onnx)


def _seeing(result):
    """Return the result of a pool that knows most of what comes."""
    from make_us_rich.evaluation.trends.evidence import gather_trend_evidence

    said = np.where(result.outer.outcome == 1, 0.9, 0.05)
    names = (POOL, result.winner)
    outer = replace(result.outer, probability=result.outer.probability | dict.fromkeys(names, said))
    evidence = dict(result.evidence) | {name: gather_trend_evidence(outer, name, seed=0) for name in names}
    return replace(result, outer=outer, evidence=evidence)


def test_coins_that_are_trained_together_are_cut_on_the_same_days(make_task, daily_snapshot):
    end = daily_snapshot("SOL", 1250).data_end
    (outcome,) = train_here([replace(make_task("ETH", days=1240, directions=["up"]), pool_end=end)])
    (together,) = results_of(outcome)
    assert together.folds_end_ms == round(end.timestamp() * 1000) - 10 * 86_400_000
