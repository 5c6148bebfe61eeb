"""The promotion rule, pure: who serves each horizon, whether a new version takes over, in words.

A noise forecaster must not pass, so each claim needs its own test on outer folds: (a) better than the naive
baselines, (b) the simplest wins ties, (c) calibrated, and (d) against the champion, on candles the champion
had not seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.student_t import t_quantile
from make_us_rich.models.forecast import NAIVE_BASELINES
from make_us_rich.registry.shelf import Decision

SIGNIFICANCE = 0.05
MINIMUM_BLOCKS = 8
COVERAGE = 0.90
COVERAGE_TOLERANCE = 0.03
COVERAGE_LIMIT = 0.05
REFRESH_TOLERANCE = 1.005
CHALLENGE_SIGNIFICANCE = 0.01
CHALLENGE_GAIN = 0.002
_WEEK = timedelta(days=7)

Succession = Literal["refresh", "challenge"]


@dataclass(frozen=True, slots=True)
class HorizonVerdict:
    """Who serves one horizon and why; `passed` is false where a naive baseline stands in."""

    horizon: int
    served_by: str
    passed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuccessionVerdict:
    """Whether a new version takes the champion's place, and why."""

    accepted: bool
    reason: str


def judge_horizon(evidence: Mapping[str, HorizonEvidence], candidate: str) -> HorizonVerdict:
    """Decide one horizon from the evidence of the candidate, of `volatility` and of the naive baselines."""
    subject = evidence[candidate]
    refusals = _refusals(subject, candidate, against=("volatility",) if candidate != "volatility" else ())
    if not refusals:
        return HorizonVerdict(subject.horizon, candidate, True, (_praise(subject, candidate),))
    if candidate != "volatility" and not (more := _refusals(evidence["volatility"], "volatility")):
        reasons = (*refusals, _praise(evidence["volatility"], "volatility"))
        return HorizonVerdict(subject.horizon, "volatility", True, reasons)
    if candidate != "volatility":
        refusals += more
    return HorizonVerdict(subject.horizon, best_naive(evidence), False, tuple(refusals))


def best_naive(evidence: Mapping[str, HorizonEvidence]) -> str:
    """Return `ewma_persistence` where it beats persistence by the same test, else persistence."""
    ewma = evidence["ewma_persistence"]
    proven = ewma.blocks >= MINIMUM_BLOCKS and ewma.p_value["persistence"] < SIGNIFICANCE
    return "ewma_persistence" if proven else "persistence"


def coverage_allowance(evidence: HorizonEvidence) -> float:
    """Return how far coverage may lie from 0.90: 0.03 or the block interval's half-width, at most 0.05."""
    if evidence.blocks < 2:
        return COVERAGE_TOLERANCE
    half_width = t_quantile(0.975, evidence.blocks - 1) * evidence.coverage_se
    return min(max(COVERAGE_TOLERANCE, half_width), COVERAGE_LIMIT)


def judge_succession(kind: Succession, champion_loss: BlockMeans, advantage: BlockMeans) -> SuccessionVerdict:
    """Decide whether a challenger replaces the champion on candles after the champion's data.

    `champion_loss` are the champion's mean losses per whole block, `advantage` by how much the challenger's
    are lower. A refresh (same experiment, newer data) must not be worse by more than 0.5 %; a challenge
    (another experiment) must be better by 0.2 % and p < 0.01, over at least 8 blocks.
    """
    if len(advantage) < (1 if kind == "refresh" else MINIMUM_BLOCKS):
        needed = "one whole week" if kind == "refresh" else f"{MINIMUM_BLOCKS} whole weeks"
        return SuccessionVerdict(
            False,
            f"{kind}: {len(advantage)} whole weeks of candles after the champion's data, {needed} needed",
        )
    gain = advantage.mean / champion_loss.mean if champion_loss.mean > 0 else 0.0
    if kind == "refresh":
        accepted = gain >= 1 - REFRESH_TOLERANCE
        word = "within" if accepted else "beyond"
        return SuccessionVerdict(
            accepted, f"refresh: loss {-gain:+.2%} against the champion, {word} the +0.50 % allowed"
        )
    p_value = advantage.p_value_above_zero()
    accepted = p_value < CHALLENGE_SIGNIFICANCE and gain >= CHALLENGE_GAIN
    return SuccessionVerdict(
        accepted,
        f"challenge: loss {-gain:+.2%} against the champion, p = {p_value:.3g} over {len(advantage)} weeks; "
        f"needs -0.20 % or lower and p < {CHALLENGE_SIGNIFICANCE}",
    )


def decided_this_week(kind: Succession, decisions: Sequence[Decision], now: datetime) -> Decision | None:
    """Return the decision of this kind in the past week, if any: each further try is another draw."""
    recent = [d for d in decisions if d.kind == kind and d.at <= now < d.at + _WEEK]
    return recent[-1] if recent else None


def _refusals(evidence: HorizonEvidence, name: str, against: tuple[str, ...] = ()) -> list[str]:
    if evidence.blocks < MINIMUM_BLOCKS:
        return [
            f"h={evidence.horizon}: {evidence.blocks} whole blocks for {name}, {MINIMUM_BLOCKS} are needed"
        ]
    refusals = [
        f"h={evidence.horizon}: {name} is not proven better than {other} "
        f"(skill {evidence.skill[other]:+.2%}, p = {evidence.p_value[other]:.3g}, {SIGNIFICANCE} needed)"
        for other in (*NAIVE_BASELINES, *against)
        if evidence.p_value[other] >= SIGNIFICANCE
    ]
    allowed = coverage_allowance(evidence)
    if abs(evidence.coverage_90 - COVERAGE) > allowed:
        refusals.append(
            f"h={evidence.horizon}: the 90 % interval of {name} held {evidence.coverage_90:.1%} "
            f"(allowed: 90 % ± {allowed:.1%})"
        )
    return refusals


def _praise(evidence: HorizonEvidence, name: str) -> str:
    worst = max(evidence.p_value[other] for other in NAIVE_BASELINES)
    return (
        f"h={evidence.horizon}: {name} is better than the naive baselines (skill "
        f"{evidence.skill['persistence']:+.2%} ± {evidence.skill_sd:.2%} over {evidence.folds} folds against "
        f"persistence, p ≤ {worst:.2g}, {evidence.blocks} weeks) and its 90 % interval held "
        f"{evidence.coverage_90:.1%}"
    )
