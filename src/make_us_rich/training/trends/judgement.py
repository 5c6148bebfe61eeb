"""The pool judged: every coin on its own and with all others of its direction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from make_us_rich.evaluation.evidence import skill
from make_us_rich.evaluation.trends.evidence import POOL, pooled_advantage
from make_us_rich.features.trend_labels import Direction
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.trend_promotion import PooledTest, TrendVerdict, judge_trend
from make_us_rich.training.trends.pool import TrendResult

Pooled = Mapping[Direction, Mapping[str, PooledTest]]


@dataclass(frozen=True, slots=True)
class JudgedTrend:
    """A result with who serves it and why."""

    result: TrendResult
    verdict: TrendVerdict


def judge_pool(results: Sequence[TrendResult]) -> tuple[list[JudgedTrend], Pooled]:
    """Return every result with its verdict, and the pooled tests by direction."""
    directions = list(dict.fromkeys(result.direction for result in results))
    pooled = {direction: pooled_tests(results, direction) for direction in directions}
    judged = [
        JudgedTrend(result, judge_trend(result.evidence, POOL, result.winner, pooled[result.direction]))
        for result in results
    ]
    return judged, pooled


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
