"""Evidence: how a forecaster did on folds nobody chose on, against each baseline, per horizon."""

import math
from dataclasses import dataclass, replace

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.blocks import BlockMeans, block_milliseconds, whole_blocks
from make_us_rich.evaluation.metrics import covered
from make_us_rich.evaluation.statistic import Statistic
from make_us_rich.models.quantiles import BASELINES


@dataclass(frozen=True, slots=True)
class HorizonEvidence:
    """One forecaster at one horizon, as it is judged and as a manifest keeps it.

    `n` counts forecasts, `blocks` the whole blocks the tests rest on. `skill` is 1 - Σ loss / Σ baseline
    loss, `skill_sd` its spread over the folds against persistence, `p_value` the one-sided block test,
    `coverage_se` the block standard error of `coverage_90`. The promotion rule fills in `served_by`; what is
    undefined is NaN here and null in JSON.
    """

    horizon: int
    folds: int
    blocks: int
    n: int
    skill: dict[str, Statistic]
    skill_sd: Statistic
    p_value: dict[str, Statistic]
    coverage_90: Statistic
    coverage_se: Statistic
    served_by: str

    def with_served_by(self, served_by: str) -> "HorizonEvidence":
        """Return the same evidence, naming who serves the horizon."""
        return replace(self, served_by=served_by)


def gather_evidence(backtest: Backtest, name: str) -> tuple[HorizonEvidence, ...]:
    """Return the evidence of one forecaster at every horizon of a backtest."""
    return tuple(_horizon_evidence(backtest, name, j) for j in range(len(backtest.horizons)))


def skill(loss: FloatArray, baseline_loss: FloatArray) -> float:
    """Return 1 - Σ loss / Σ baseline loss; 0 where both are 0 and -inf where only the baseline's is.

    >>> skill(np.array([1.0]), np.array([2.0]))
    0.5
    """
    total, baseline = float(np.sum(loss)), float(np.sum(baseline_loss))
    if baseline == 0.0:
        return 0.0 if total == 0.0 else -np.inf
    return 1 - total / baseline


def loss_advantage(backtest: Backtest, name: str, baseline: str, position: int) -> BlockMeans:
    """Return by how much the baseline's scaled loss exceeds the forecaster's, per whole block."""
    difference = backtest.scaled_loss(baseline)[:, position] - backtest.scaled_loss(name)[:, position]
    return _blocks(backtest, difference, position)


def _horizon_evidence(backtest: Backtest, name: str, position: int) -> HorizonEvidence:
    loss = backtest.loss(name)[:, position]
    baseline_loss = {other: backtest.loss(other)[:, position] for other in BASELINES}
    inside = covered(backtest.quantiles[name][:, position], backtest.returns[:, position])
    coverage = _blocks(backtest, inside.astype(np.float64), position)
    folds = np.unique(backtest.fold)
    per_fold = [
        skill(loss[backtest.fold == k], baseline_loss["persistence"][backtest.fold == k]) for k in folds
    ]
    return HorizonEvidence(
        horizon=backtest.horizons[position],
        folds=len(folds),
        blocks=len(coverage),
        n=len(backtest),
        skill={other: skill(loss, against) for other, against in baseline_loss.items()},
        skill_sd=_spread(per_fold),
        p_value={
            other: 1.0
            if other == name
            else loss_advantage(backtest, name, other, position).p_value_above_zero()
            for other in BASELINES
        },
        coverage_90=float(inside.mean()),
        coverage_se=coverage.standard_error,
        served_by=name,
    )


def _spread(per_fold: list[float]) -> float:
    if len(per_fold) < 2 or not np.isfinite(per_fold).all():
        return math.nan  # a fold in which the price stood still has no skill to spread
    return float(np.std(per_fold, ddof=1))


def _blocks(backtest: Backtest, values: FloatArray, position: int) -> BlockMeans:
    block_ms = block_milliseconds(backtest.horizons[position], backtest.timeframe)
    return whole_blocks(values, backtest.cutoff_ms, block_ms, backtest.timeframe)
