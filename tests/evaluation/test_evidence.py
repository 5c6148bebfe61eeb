import numpy as np
import pytest

from make_us_rich.evaluation.evidence import gather_evidence, loss_advantage, skill

TRUE = {"persistence": 1.6, "ewma_persistence": 1.5, "volatility": 1.1, "lstm": 1.0}


def test_skill_against_itself_is_zero_and_proves_nothing(make_backtest) -> None:
    evidence = gather_evidence(make_backtest(TRUE), "persistence")[0]
    assert evidence.skill["persistence"] == 0
    assert evidence.p_value["persistence"] == 1.0


def test_the_true_scale_has_skill_against_a_wrong_one(make_backtest) -> None:
    for evidence in gather_evidence(make_backtest(TRUE), "lstm"):
        assert evidence.skill["persistence"] > 0.03
        assert evidence.p_value["persistence"] < 0.01
        assert abs(evidence.coverage_90 - 0.9) < 0.02
        assert (evidence.n, evidence.blocks, evidence.folds) == (1680, 10, 2)


def test_a_wrong_scale_shows_in_the_coverage(make_backtest) -> None:
    narrow = gather_evidence(make_backtest(TRUE | {"lstm": 0.5}), "lstm")[0]
    assert narrow.coverage_90 < 0.65
    assert narrow.skill["persistence"] < 0


def test_a_perfect_forecaster_has_skill_one(make_backtest) -> None:
    backtest = make_backtest(TRUE)
    backtest.quantiles["lstm"] = np.repeat(backtest.returns[..., None], 13, axis=2)
    assert gather_evidence(backtest, "lstm")[0].skill["persistence"] == 1.0


def test_skill_of_nothing_against_nothing_is_zero() -> None:
    zero = np.zeros(3)
    assert skill(zero, zero) == 0.0
    assert skill(np.ones(3), zero) == -np.inf


def test_advantage_is_in_units_of_the_past_weeks_volatility(make_backtest) -> None:
    backtest = make_backtest(TRUE)
    blocks = loss_advantage(backtest, "lstm", "persistence", 0)
    difference = (backtest.loss("persistence") - backtest.loss("lstm"))[:, 0] / 0.01
    assert blocks.mean == pytest.approx(difference.mean())


def test_part_of_a_backtest_keeps_its_rows_together(make_backtest) -> None:
    backtest = make_backtest(TRUE)
    later = backtest.since(int(backtest.cutoff_ms[100]))
    assert len(later) == len(backtest) - 100
    np.testing.assert_array_equal(later.loss("lstm"), backtest.loss("lstm")[100:])
