import numpy as np
import pytest

from make_us_rich.models.classifiers.calibration import PlattScaling, fit_platt, logistic


def _labels_of(scores: np.ndarray, intercept: float, slope: float, seed: int) -> np.ndarray:
    truth = logistic(intercept + slope * scores)
    return (np.random.default_rng(seed).random(len(scores)) < truth).astype(float)


def test_scaling_of_a_long_stretch_finds_the_true_line() -> None:
    scores = np.random.default_rng(0).normal(3.0, 2.0, 40_000)
    found = fit_platt(scores, _labels_of(scores, -2.0, 0.7, seed=1), base_rate=0.5)
    assert found.intercept == pytest.approx(-2.0, abs=0.08)
    assert found.slope == pytest.approx(0.7, abs=0.03)


def test_base_rate_of_the_history_stands_in_where_a_stretch_is_short_and_gives_way_where_it_is_long() -> None:
    scores = np.random.default_rng(4).normal(size=40_000)
    labels = _labels_of(scores, 0.0, 0.5, seed=5)
    short = fit_platt(scores[:100], labels[:100], base_rate=0.2, overlap=10).probability(scores)
    long = fit_platt(scores, labels, base_rate=0.2, overlap=10).probability(scores)
    assert 0.2 < short.mean() < 0.4
    assert long.mean() == pytest.approx(labels.mean(), abs=0.005)


def test_scaling_does_not_depend_on_the_units_of_the_score() -> None:
    scores = np.random.default_rng(2).normal(size=200)
    labels = _labels_of(scores, 0.0, 1.0, seed=3)
    plain, scaled = fit_platt(scores, labels, 0.5, 10), fit_platt(1000 * scores + 5, labels, 0.5, 10)
    np.testing.assert_allclose(plain.probability(scores), scaled.probability(1000 * scores + 5), atol=1e-9)


def test_score_that_points_the_wrong_way_is_flattened_to_the_base_rate_and_never_turned_round() -> None:
    scores = np.linspace(-1, 1, 300)
    found = fit_platt(scores, (scores < -0.4).astype(float), base_rate=0.3)
    assert found.slope == 0.0
    assert found.probability(scores) == pytest.approx(np.full(300, 0.3), abs=0.01)


def test_short_stretch_that_is_perfectly_separated_stays_far_from_certainty() -> None:
    scores = np.array([-1.0, -0.9, -1.1, 0.9, 1.0, 1.1] * 7)
    probability = fit_platt(scores, (scores > 0).astype(float), 0.5, overlap=10).probability(scores)
    assert 0.05 < probability.min() < 0.45
    assert 0.55 < probability.max() < 0.95


def test_more_overlap_draws_the_slope_nearer_to_zero() -> None:
    scores = np.random.default_rng(6).normal(size=200)
    labels = _labels_of(scores, 0.0, 1.5, seed=7)
    slopes = [fit_platt(scores, labels, 0.5, overlap).slope for overlap in (1, 5, 20)]
    assert slopes[0] > slopes[1] > slopes[2] > 0


def test_constant_score_gives_the_base_rate() -> None:
    labels = np.array([1.0] * 25 + [0.0] * 75)
    assert fit_platt(np.full(100, 2.0), labels, 0.25).probability(np.array([2.0, 9.0])) == pytest.approx(
        [0.25, 0.25], abs=0.01
    )


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_quiet_season_pulls_the_base_rate_to_its_class_and_tells_no_slope(label: float) -> None:
    scaling = fit_platt(np.linspace(0, 1, 50), np.full(50, label), 0.4, overlap=10)
    assert scaling.slope == 0
    low, high = sorted([0.4, label])
    assert low < scaling.probability(np.array([0.5]))[0] < high


def test_far_scores_give_probabilities_without_overflow() -> None:
    probability = PlattScaling(0.0, 1e6).probability(np.array([-1e6, 1e6]))
    assert probability.tolist() == [pytest.approx(0.0, abs=1e-300), 1.0]
