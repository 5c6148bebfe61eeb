from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.registry.promotion import (
    best_naive,
    challenged_this_week,
    coverage_allowance,
    judge_challenge,
    judge_horizon,
    judge_refresh,
)
from make_us_rich.registry.shelf import Decision

NOW = datetime(2026, 4, 30, tzinfo=UTC)


def evidence(
    p_values: Sequence[float] = (0.001, 0.001, 0.001),
    coverage: float = 0.9,
    blocks: int = 30,
    coverage_se: float = 0.005,
) -> HorizonEvidence:
    names = ("persistence", "ewma_persistence", "volatility")
    return HorizonEvidence(
        horizon=1,
        folds=4,
        blocks=blocks,
        n=5000,
        skill=dict.fromkeys(names, 0.02),
        skill_sd=0.01,
        p_value=dict(zip(names, p_values, strict=True)),
        coverage_90=coverage,
        coverage_se=coverage_se,
        served_by="",
    )


def judge(lstm: HorizonEvidence, volatility: HorizonEvidence, ewma_p: float = 0.5):
    naive = evidence((ewma_p, 1.0, 1.0))
    return judge_horizon(
        {"lstm": lstm, "volatility": volatility, "ewma_persistence": naive, "persistence": naive}, "lstm"
    )


GOOD = evidence()
VOLATILITY = evidence((0.001, 0.001, 1.0))


def test_better_than_all_and_calibrated_serves_the_horizon() -> None:
    verdict = judge(GOOD, VOLATILITY)
    assert (verdict.served_by, verdict.passed) == ("lstm", True)
    assert "skill +2.00% ± 1.00% over 4 folds" in verdict.reasons[0]


@pytest.mark.parametrize("position", [0, 1])
def test_not_better_than_a_naive_baseline_is_refused(position: int) -> None:
    p_values = [0.001, 0.001, 0.001]
    p_values[position] = 0.05
    verdict = judge(evidence(p_values), evidence((0.5, 0.5, 1.0)))
    assert not verdict.passed
    assert "is not proven better than" in verdict.reasons[0]


def test_the_simplest_wins_ties() -> None:
    verdict = judge(evidence((0.001, 0.001, 0.2)), VOLATILITY)
    assert (verdict.served_by, verdict.passed) == ("volatility", True)
    assert "lstm is not proven better than volatility" in verdict.reasons[0]


def test_volatility_must_itself_beat_the_naive_baselines() -> None:
    verdict = judge(evidence((0.001, 0.001, 0.2)), evidence((0.2, 0.001, 1.0)))
    assert (verdict.served_by, verdict.passed) == ("persistence", False)
    assert any("volatility is not proven better than persistence" in reason for reason in verdict.reasons)


def test_a_miscalibrated_model_is_refused_however_good_its_loss() -> None:
    verdict = judge(evidence(coverage=0.85), evidence((0.001, 0.001, 1.0), coverage=0.84))
    assert not verdict.passed
    assert "held 85.0%" in verdict.reasons[0]


def test_fewer_than_eight_blocks_prove_nothing() -> None:
    verdict = judge(evidence(blocks=7), evidence((0.001, 0.001, 1.0), blocks=7))
    assert not verdict.passed
    assert "7 whole blocks for lstm, 8 are needed" in verdict.reasons[0]


def test_a_failed_horizon_falls_to_the_best_proven_naive_baseline() -> None:
    bad = evidence((0.9, 0.9, 0.9))
    assert judge(bad, bad, ewma_p=0.01).served_by == "ewma_persistence"
    assert judge(bad, bad, ewma_p=0.06).served_by == "persistence"
    assert best_naive({"ewma_persistence": evidence((0.01, 1.0, 1.0), blocks=5)}) == "persistence"


def test_a_volatility_experiment_needs_no_proof_against_itself() -> None:
    verdict = judge_horizon({"volatility": VOLATILITY, "ewma_persistence": VOLATILITY}, "volatility")
    assert (verdict.served_by, verdict.passed) == ("volatility", True)


@pytest.mark.parametrize(("standard_error", "allowed"), [(0.001, 0.03), (0.02, 0.0409), (0.5, 0.05)])
def test_coverage_allowance_widens_with_its_error_up_to_a_limit(
    standard_error: float, allowed: float
) -> None:
    assert coverage_allowance(evidence(coverage_se=standard_error)) == pytest.approx(allowed, abs=1e-4)


def widths(median: float, n: int = 168) -> np.ndarray:
    return median * np.linspace(0.5, 1.5, n)


@pytest.mark.parametrize(
    ("own", "accepted", "said"), [(1.14, True, "+14.00%"), (0.86, True, "-14.00%"), (1.16, False, "+16.00%")]
)
def test_a_refresh_may_be_a_little_wider_or_narrower_but_not_more(
    own: float, accepted: bool, said: str
) -> None:
    verdict = judge_refresh(widths(1.0), widths(own), verdict_passed=True)
    assert verdict.accepted is accepted
    assert f"refresh: width {said} against the champion at the newest 168 cutoffs" in verdict.reason


def test_only_the_newest_cutoffs_of_a_refresh_count() -> None:
    early = np.concatenate([np.full(500, 9.0), widths(1.0)])
    assert judge_refresh(early, widths(1.0), verdict_passed=True).accepted


def test_a_refresh_that_is_not_proven_itself_is_kept_back() -> None:
    assert not judge_refresh(widths(1.0), widths(1.0), verdict_passed=False).accepted
    assert not judge_refresh(None, None, verdict_passed=False).accepted


def test_where_a_kind_has_no_widths_the_verdict_of_a_refresh_decides() -> None:
    assert judge_refresh(None, None, verdict_passed=True).accepted


def test_a_champion_without_width_is_no_measure() -> None:
    assert not judge_refresh(np.zeros(168), widths(1.0), verdict_passed=True).accepted


def challenge(gains, champion: float = 1.0):
    theirs = np.full(len(gains), champion)
    return judge_challenge(BlockMeans(theirs - np.asarray(gains)), BlockMeans(theirs))


def test_a_challenge_must_be_better_and_provenly_so() -> None:
    steady = 0.01 + 0.001 * np.arange(12)
    assert challenge(steady).accepted
    assert not challenge(steady / 100).accepted, "too small a gain"
    assert not challenge(np.tile([0.5, -0.45], 6)).accepted, "too uncertain"
    assert not challenge(steady[:7]).accepted, "too short"
    assert not challenge(np.zeros(12)).accepted, "the same losses are no advantage"


def test_one_challenge_each_week_and_any_number_of_refreshes() -> None:
    def decided(kind: str, reason: str = "kept back: challenge: loss +1.00%") -> Decision:
        return Decision(at=NOW - timedelta(days=6), version=3, kind=kind, promoted=False, reasons=(reason,))

    assert challenged_this_week([decided("challenge")], NOW) == decided("challenge")
    assert challenged_this_week([decided("refresh")], NOW) is None
    assert challenged_this_week([decided("challenge")], NOW + timedelta(days=1)) is None
    unjudged = decided("challenge", "kept back: a challenge was decided on 2026-04-20; at most one a week")
    assert challenged_this_week([unjudged], NOW) is None, "it was never compared"
