"""The pool judged: every coin on its own and with all others of its direction."""

from collections.abc import Mapping, Sequence

import numpy as np

from make_us_rich.evaluation.evidence import skill
from make_us_rich.evaluation.trends.evidence import POOL, pooled_advantage
from make_us_rich.features.trend_labels import Direction
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.trend_promotion import PooledTest, judge_trend
from make_us_rich.training.fits import Judgement, Verdict
from make_us_rich.training.trained import Pooled
from make_us_rich.training.trend.result import TrendResult


def judge_pool(results: Sequence[TrendResult]) -> Judgement:
    """Return the verdict on every result, and the pooled tests by direction."""
    directions = list(dict.fromkeys(result.direction for result in results))
    pooled: Pooled = {direction: pooled_tests(results, direction) for direction in directions}
    verdicts = {result.name: judge_result(result, pooled[result.direction]) for result in results}
    return Judgement(verdicts, pooled)


def judge_result(result: TrendResult, pooled: Mapping[str, PooledTest]) -> Verdict:
    """Return who serves a coin and direction, and why."""
    verdict = judge_trend(result.evidence, POOL, result.winner, pooled)
    refusal = None if verdict.passed else f"{verdict.served_by} serves, nothing is proven better"
    return Verdict(verdict.served_by, verdict.reasons, refusal)


def pooled_tests(results: Sequence[TrendResult], direction: Direction) -> dict[str, PooledTest]:
    """Return the test of all coins of a direction against each baseline."""
    outers = [result.outer for result in results if result.direction == direction]
    tests = {}
    for baseline in TREND_BASELINES:
        own = np.concatenate([outer.loss(POOL) for outer in outers])
        theirs = np.concatenate([outer.loss(baseline) for outer in outers])
        advantage = pooled_advantage(outers, POOL, baseline)
        tests[baseline] = PooledTest.of(advantage, skill(own, theirs), len(outers))
    return tests
