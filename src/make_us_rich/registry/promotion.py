"""The promotion rule, pure: who serves each horizon, whether a new version takes over, in words.

A noise forecaster must not pass, so each claim needs its own test on outer folds: (a) better than the naive
baselines, (b) the simplest wins ties, (c) calibrated, and (d) against the champion. There a challenge,
another recipe, is a claim of its own and is tested against the champion's recipe fitted anew in the same
folds; a refresh, the same recipe on newer data, claims nothing new and must only not say something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.student_t import t_quantile
from make_us_rich.models.quantiles import NAIVE_BASELINES
from make_us_rich.registry.shelf import Decision

SIGNIFICANCE = 0.05
MINIMUM_BLOCKS = 8
COVERAGE = 0.90
COVERAGE_TOLERANCE = 0.03
COVERAGE_LIMIT = 0.05
NEWEST_CUTOFFS = 168
"""A refresh is compared with the champion at as many of the newest cutoffs."""
WIDTH_TOLERANCE = 0.15
CHALLENGE_SIGNIFICANCE = 0.01
CHALLENGE_GAIN = 0.002
_WEEK = timedelta(days=7)


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


def judge_refresh(
    champion_widths: FloatArray | None, own_widths: FloatArray | None, *, verdict_passed: bool
) -> SuccessionVerdict:
    """Decide whether the champion's recipe, fitted on newer data, takes its place.

    `verdict_passed` says whether (a) to (c) hold on outer folds that reach the new data. Both widths (n,) are
    those of the served 90 % intervals at the first horizon, at the same cutoffs in time order, of which the
    newest 168 count; None where a kind has none, and the verdict decides alone.
    """
    if not verdict_passed:
        return SuccessionVerdict(False, "refresh: it is not proven better than the baselines")
    if champion_widths is None or own_widths is None:
        return SuccessionVerdict(True, "refresh: proven on folds that reach its newer data")
    theirs, own = (float(np.median(one[-NEWEST_CUTOFFS:])) for one in (champion_widths, own_widths))
    change = own / theirs - 1 if theirs > 0 else float("nan")
    accepted = abs(change) <= WIDTH_TOLERANCE
    word = "within" if accepted else "beyond"
    return SuccessionVerdict(
        accepted,
        f"refresh: width {change:+.2%} against the champion at the newest "
        f"{min(len(own_widths), NEWEST_CUTOFFS)} cutoffs, {word} the ±15 % allowed",
    )


def judge_challenge(own_loss: BlockMeans, champion_loss: BlockMeans) -> SuccessionVerdict:
    """Decide whether another recipe takes the place of the champion's, both fitted in the same folds.

    Both are mean losses of what each serves, per whole block of the same cutoffs. The challenger's must be
    lower by 0.2 % and p < 0.01, over at least 8 blocks.
    """
    advantage = BlockMeans(champion_loss.values - own_loss.values)
    if len(advantage) < MINIMUM_BLOCKS:
        return SuccessionVerdict(
            False, f"challenge: {len(advantage)} whole blocks to compare on, {MINIMUM_BLOCKS} are needed"
        )
    gain = advantage.mean / champion_loss.mean if champion_loss.mean > 0 else 0.0
    p_value = advantage.p_value_above_zero()
    return SuccessionVerdict(
        p_value < CHALLENGE_SIGNIFICANCE and gain >= CHALLENGE_GAIN,
        f"challenge: loss {-gain:+.2%} against the champion's recipe, p = {p_value:.3g} over "
        f"{len(advantage)} blocks; needs -0.20 % or lower and p < {CHALLENGE_SIGNIFICANCE}",
    )


def challenged_this_week(decisions: Sequence[Decision], now: datetime) -> Decision | None:
    """Return the challenge that was judged in the past week, if any: each further try is another draw.

    What was kept back before it came to a comparison has drawn nothing.
    """
    judged = [one for one in decisions if one.kind == "challenge" and "challenge: " in one.reasons[0]]
    recent = [one for one in judged if one.at <= now < one.at + _WEEK]
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
