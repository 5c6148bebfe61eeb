"""Evidence for one trend forecaster: its outer probabilities against each baseline, with calendar blocks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.blocks import BlockMeans, whole_blocks
from make_us_rich.evaluation.evidence import skill
from make_us_rich.evaluation.statistic import Statistic
from make_us_rich.evaluation.trends.scores import (
    CalibrationBin,
    brier_losses,
    calibration_curve,
    log_loss,
    pr_auc,
    roc_auc,
)
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.trend_baselines import TREND_BASELINES

POOL = "pool"
"""The recipe as a whole: in every fold the candidate that did best on the folds before."""

BLOCK_DAYS = 40
_DRAWS = 1000
_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True, eq=False)
class OuterForecasts:
    """What was said on outer rows: cutoffs (n,), outcomes (n,) and probabilities (n,) by forecaster."""

    timeframe: Timeframe
    cutoff_ms: NDArray[np.int64]
    fold: NDArray[np.int64]
    outcome: FloatArray
    probability: dict[str, FloatArray]

    def loss(self, name: str) -> FloatArray:
        """Brier losses (n,) of one forecaster."""
        return brier_losses(self.outcome, self.probability[name])

    def blocks(self, values: FloatArray) -> BlockMeans:
        """Average values (n,) over whole blocks of 40 days."""
        return whole_blocks(values, self.cutoff_ms, BLOCK_DAYS * 86_400_000, self.timeframe)

    def advantage(self, name: str, baseline: str) -> BlockMeans:
        """By how much the baseline's loss exceeds the forecaster's, per whole block."""
        return self.blocks(self.loss(baseline) - self.loss(name))


@dataclass(frozen=True, slots=True)
class TrendEvidence:
    """One forecaster on outer folds, as it is judged and as a manifest keeps it.

    `skill` is 1 - Σ Brier / Σ Brier of each baseline, `skill_low` and `skill_high` bound its 95 % bootstrap
    interval over calendar blocks, `p_value` the one-sided block test; what is undefined is
    NaN here and null in JSON.
    """

    forecaster: str
    folds: int
    blocks: int
    n: int
    base_rate: Statistic
    roc_auc: Statistic
    pr_auc: Statistic
    brier: Statistic
    log_loss: Statistic
    skill: dict[str, Statistic]
    skill_low: dict[str, Statistic]
    skill_high: dict[str, Statistic]
    p_value: dict[str, Statistic]
    calibration: tuple[CalibrationBin, ...]


def gather_trend_evidence(outer: OuterForecasts, name: str, seed: int) -> TrendEvidence:
    """Return the evidence of one forecaster; `seed` is that of the bootstrap."""
    outcome, probability, loss = outer.outcome, outer.probability[name], outer.loss(name)
    others = [other for other in TREND_BASELINES if other in outer.probability]
    bounds = {other: skill_interval(outer, name, other, seed) for other in others}
    return TrendEvidence(
        forecaster=name,
        folds=len(np.unique(outer.fold)),
        blocks=len(outer.blocks(loss)),
        n=len(outcome),
        base_rate=float(outcome.mean()),
        roc_auc=roc_auc(outcome, probability),
        pr_auc=pr_auc(outcome, probability),
        brier=float(loss.mean()),
        log_loss=log_loss(outcome, probability),
        skill={other: skill(loss, outer.loss(other)) for other in others},
        skill_low={other: low for other, (low, _) in bounds.items()},
        skill_high={other: high for other, (_, high) in bounds.items()},
        p_value={
            other: 1.0 if other == name else outer.advantage(name, other).p_value_above_zero()
            for other in others
        },
        calibration=tuple(calibration_curve(outcome, probability)),
    )


def skill_interval(outer: OuterForecasts, name: str, baseline: str, seed: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the skill, drawing whole blocks; NaN below two blocks.

    Politis and Romano, "The Stationary Bootstrap", JASA 89 (1994), with fixed calendar blocks instead of
    random ones, so that overlapping labels stay together.
    """
    own, theirs = outer.blocks(outer.loss(name)).values, outer.blocks(outer.loss(baseline)).values
    if len(own) < 2 or theirs.sum() == 0:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(0, len(own), (_DRAWS, len(own)))
    skills = 1 - own[draws].sum(axis=1) / np.maximum(theirs[draws].sum(axis=1), 1e-300)
    low, high = np.quantile(skills, _INTERVAL)
    return float(low), float(high)


def pooled_advantage(coins: list[OuterForecasts], name: str, baseline: str) -> BlockMeans:
    """Average the advantage over all coins of a day, then over blocks of 40 days.

    Coins move together, so a day counts once, however many coins there are.
    """
    cutoffs = np.concatenate([coin.cutoff_ms for coin in coins])
    differences = np.concatenate([coin.loss(baseline) - coin.loss(name) for coin in coins])
    days, position = np.unique(cutoffs, return_inverse=True)
    daily = np.bincount(position, weights=differences) / np.bincount(position)
    return whole_blocks(daily, days, BLOCK_DAYS * 86_400_000, coins[0].timeframe)
