import numpy as np
import pytest

from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.evaluation.trends.evidence import TrendEvidence
from make_us_rich.registry.trend_promotion import PooledTest, best_baseline, judge_trend

BASELINES = ("base_rate", "momentum", "random_walk")


def evidence(p_values=(0.001, 0.001, 0.001), *, blocks=18, skill=0.02, name="pool"):
    by_name = dict(zip(BASELINES, p_values, strict=True))
    skills = dict.fromkeys(BASELINES, skill)
    return TrendEvidence(
        *(name, 6, blocks, 720, 0.3, 0.8, 0.6, 0.16, 0.5), skills, skills, skills, by_name, ()
    )


def judge(pool, pooled_p=0.001, coins=25, winner_skill=0.01):
    pooled = {name: PooledTest(coins, 18, 0.02, pooled_p) for name in BASELINES}
    baselines = {name: evidence((1.0, 1.0, 1.0)) for name in BASELINES}
    ridge = evidence(skill=winner_skill, name="Ridge")
    return judge_trend(baselines | {"pool": pool, "Ridge": ridge}, "pool", "Ridge", pooled)


def test_a_pool_that_beats_every_baseline_alone_and_together_serves():
    verdict = judge(evidence())
    assert (verdict.served_by, verdict.passed) == ("Ridge", True)
    assert "18 blocks of 40 days" in verdict.reasons[0]


@pytest.mark.parametrize("position", range(3))
def test_one_baseline_that_is_not_beaten_is_enough_to_keep_it_back(position):
    p_values = [0.001] * 3
    p_values[position] = 0.05
    verdict = judge(evidence(p_values))
    assert (verdict.served_by, verdict.passed) == ("random_walk", False)
    assert verdict.reasons[0].startswith(f"not proven better than {BASELINES[position]}")


def test_a_lucky_coin_is_kept_back_by_the_others():
    verdict = judge(evidence(), pooled_p=0.2)
    assert not verdict.passed
    assert all("over all 25 coins together" in reason for reason in verdict.reasons)


def test_a_coin_trained_alone_is_kept_back_however_good():
    (reason,) = judge(evidence(), pooled_p=0.001, coins=1).reasons
    assert "train it with others (`--all`)" in reason


@pytest.mark.parametrize("skill", [0.0, -0.01, float("nan")])
def test_a_winner_that_is_itself_no_better_than_a_baseline_never_serves(skill):
    verdict = judge(evidence(), winner_skill=skill)
    assert not verdict.passed
    assert all("Ridge itself is no better than" in reason for reason in verdict.reasons)


def test_seven_blocks_prove_nothing():
    assert "7 whole blocks of 40 days, 8 are needed" in judge(evidence(blocks=7)).reasons[0]


def test_the_pooled_test_is_the_one_sided_test_on_block_means():
    test = PooledTest.of(BlockMeans(np.array([1.0, 2.0, 3.0, 4.0])), 0.1, coins=2)
    assert (test.blocks, test.coins) == (4, 2)
    assert test.p_value == pytest.approx(0.0152, abs=1e-4)


def test_another_baseline_stands_in_only_where_it_is_proven_better_than_the_random_walk():
    weak = {name: evidence((1.0, 1.0, 1.0)) for name in BASELINES}
    assert best_baseline(weak) == "random_walk"
    assert best_baseline(weak | {"momentum": evidence((1.0, 1.0, 0.01))}) == "momentum"
    assert best_baseline(weak | {"momentum": evidence((1.0, 1.0, 0.01), blocks=7)}) == "random_walk"
