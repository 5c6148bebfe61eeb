import numpy as np
import pytest

from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.evaluation.trends.evidence import TrendEvidence
from make_us_rich.registry.trend_promotion import PooledTest, best_baseline, judge_trend

BASELINES = ("base_rate", "momentum", "random_walk")


def evidence(p_values=(0.001, 0.001, 0.001), *, blocks=18, skill=0.02):
    by_name = dict(zip(BASELINES, p_values, strict=True))
    skills = dict.fromkeys(BASELINES, skill)
    return TrendEvidence(
        *("pool", 6, blocks, 720, 0.3, 0.8, 0.6, 0.16, 0.5), skills, skills, skills, by_name, ()
    )


def judge(pool, pooled_p=0.001, coins=25):
    pooled = {name: PooledTest(coins, 18, 0.02, pooled_p) for name in BASELINES}
    baselines = {name: evidence((1.0, 1.0, 1.0)) for name in BASELINES}
    return judge_trend(baselines | {"pool": pool}, "pool", "Ridge", pooled)


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


def test_a_coin_alone_is_judged_once():
    assert judge(evidence(), pooled_p=0.001, coins=1).passed
    assert len(judge(evidence((0.5, 0.5, 0.5)), pooled_p=0.5, coins=1).reasons) == 3


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
