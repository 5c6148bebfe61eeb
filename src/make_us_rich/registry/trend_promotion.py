"""The promotion rule for trends, pure: a pool serves if it beats each baseline, alone and with the others.

One coin in twenty passes by luck, so the pool of a direction must also pass over all coins together.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.evaluation.statistic import Statistic
from make_us_rich.evaluation.trends.evidence import TrendEvidence
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.promotion import MINIMUM_BLOCKS, SIGNIFICANCE

_FEWEST_COINS = 2
FALLBACK = "random_walk"
"""Serves where nothing else is proven: it has no fitted parameter and no view on direction."""


@dataclass(frozen=True, slots=True)
class PooledTest:
    """All coins of a direction against one baseline: the mean advantage per block, and its p-value."""

    coins: int
    blocks: int
    skill: Statistic
    p_value: Statistic

    @classmethod
    def of(cls, advantage: BlockMeans, skill: float, coins: int) -> "PooledTest":
        """Judge the pooled advantage by the same one-sided test as a single coin's."""
        return cls(coins, len(advantage), skill, advantage.p_value_above_zero())


@dataclass(frozen=True, slots=True)
class TrendVerdict:
    """Who serves a coin and direction, and why; `passed` is false where a baseline stands in."""

    served_by: str
    passed: bool
    reasons: tuple[str, ...]


def judge_trend(
    evidence: Mapping[str, TrendEvidence], subject: str, winner: str, pooled: Mapping[str, PooledTest]
) -> TrendVerdict:
    """Decide one coin and direction: its own evidence, and the test over all coins of the direction.

    `subject` is the recipe that chooses among candidates; `winner`, the candidate that would serve, must
    itself be better than every baseline on the outer folds.
    """
    refusals = [
        *_own_refusals(evidence[subject]),
        *_winner_refusals(evidence[winner]),
        *_pooled_refusals(pooled),
    ]
    if refusals:
        return TrendVerdict(best_baseline(evidence), False, tuple(refusals))
    return TrendVerdict(winner, True, (_praise(evidence[subject], winner),))


def best_baseline(evidence: Mapping[str, TrendEvidence]) -> str:
    """Return `random_walk`, or the baseline proven better than it by the same test."""
    proven = [
        name
        for name in TREND_BASELINES
        if name != FALLBACK
        and evidence[name].blocks >= MINIMUM_BLOCKS
        and evidence[name].p_value[FALLBACK] < SIGNIFICANCE
    ]
    return max(proven, key=lambda name: evidence[name].skill[FALLBACK]) if proven else FALLBACK


def _own_refusals(evidence: TrendEvidence) -> list[str]:
    if evidence.blocks < MINIMUM_BLOCKS:
        return [f"{evidence.blocks} whole blocks of 40 days, {MINIMUM_BLOCKS} are needed"]
    return [
        f"not proven better than {other} (skill {evidence.skill[other]:+.2%}, p = {p_value:.3g}, "
        f"{SIGNIFICANCE} needed)"
        for other, p_value in evidence.p_value.items()
        if p_value >= SIGNIFICANCE
    ]


def _winner_refusals(evidence: TrendEvidence) -> list[str]:
    return [
        f"{evidence.forecaster} itself is no better than {other} (skill {skill:+.2%})"
        for other, skill in evidence.skill.items()
        if not skill > 0  # NaN is no advantage
    ]


def _pooled_refusals(pooled: Mapping[str, PooledTest]) -> list[str]:
    if any(test.coins < _FEWEST_COINS for test in pooled.values()):
        return ["trained alone, and one coin in twenty passes by luck; train it with others (`--all`)"]
    return [
        f"over all {test.coins} coins together not proven better than {other} (skill {test.skill:+.2%}, "
        f"p = {test.p_value:.3g}, {SIGNIFICANCE} needed)"
        for other, test in pooled.items()
        if test.p_value >= SIGNIFICANCE or test.blocks < MINIMUM_BLOCKS
    ]


def _praise(evidence: TrendEvidence, winner: str) -> str:
    worst = max(evidence.p_value.values())
    against = ", ".join(f"{skill:+.2%} on {other}" for other, skill in evidence.skill.items())
    return (
        f"{winner}: Brier skill {against} over {evidence.n} days in {evidence.folds} folds, p ≤ {worst:.2g}, "
        f"{evidence.blocks} blocks of 40 days"
    )
