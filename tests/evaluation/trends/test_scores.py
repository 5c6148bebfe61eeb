import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from make_us_rich.evaluation.trends.scores import (
    brier_losses,
    calibration_curve,
    log_loss,
    pr_auc,
    published_scores,
    roc_auc,
)

OUTCOMES = st.lists(st.integers(0, 1), min_size=2, max_size=60).filter(lambda found: len(set(found)) == 2)


def test_a_perfect_forecaster_loses_nothing() -> None:
    outcome = np.array([0.0, 1.0, 1.0])
    assert brier_losses(outcome, outcome).sum() == 0
    assert log_loss(outcome, outcome) == pytest.approx(0, abs=1e-9)
    assert roc_auc(outcome, outcome) == pr_auc(outcome, outcome) == 1


@given(outcomes=OUTCOMES, data=st.data())
def test_areas_equal_those_of_another_library(outcomes: list[int], data: st.DataObject) -> None:
    scores = data.draw(
        st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9]), min_size=len(outcomes), max_size=len(outcomes))
    )
    outcome, score = np.array(outcomes, dtype=float), np.array(scores)
    assert roc_auc(outcome, score) == pytest.approx(roc_auc_score(outcome, score))
    assert pr_auc(outcome, score) == pytest.approx(average_precision_score(outcome, score))


def test_areas_of_a_single_class_are_undefined() -> None:
    assert math.isnan(roc_auc(np.zeros(3), np.arange(3.0)))
    assert math.isnan(pr_auc(np.zeros(3), np.arange(3.0)))


def test_published_scores_by_hand() -> None:
    outcome = np.array([1.0, 1.0, 1.0, 0.0, 0.0])
    scores = published_scores(outcome, np.array([True, True, False, True, False]))
    assert (scores.true_positives, scores.false_positives) == (2, 1)
    assert (scores.true_negatives, scores.false_negatives) == (1, 1)
    assert scores.accuracy == pytest.approx(3 / 5)
    assert scores.precision == scores.positive_accuracy == pytest.approx(2 / 3)
    assert scores.negative_accuracy == pytest.approx(1 / 2)
    assert scores.overall_score == pytest.approx(0.1 * 3 / 5 + 0.6 * 2 / 3 + 0.3 / 2)


def test_nothing_announced_has_no_precision() -> None:
    assert published_scores(np.array([1.0, 0.0]), np.array([False, False])).precision == 0


def test_a_calibration_curve_holds_every_forecast_once() -> None:
    probability = np.linspace(0, 1, 25)
    curve = calibration_curve((probability > 0.5).astype(float), probability)
    assert sum(part.n for part in curve) == 25
    assert [part.forecast for part in curve] == sorted(part.forecast for part in curve)
    assert curve[0].observed == 0
    assert curve[-1].observed == 1
