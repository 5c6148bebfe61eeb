import time

import numpy as np
import pytest
import torch
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from make_us_rich.errors import DataError, NotEnoughHistoryError
from make_us_rich.models.classifiers.candidates import CLASSIFIERS, fit_classifier

PUBLISHED_NAMES = [
    *("RandomForest", "SupportVectorMachine", "XGBoost", "HistGradientBoosting", "AdaBoost"),
    *("Ridge", "KNeighbors", "MLP", "LightGBM", "NeuralNet"),
]


def test_candidates_bear_the_published_names() -> None:
    assert list(CLASSIFIERS) == PUBLISHED_NAMES


@pytest.mark.parametrize("name", PUBLISHED_NAMES)
def test_candidate_beats_the_base_rate_on_later_days(name, fitted, days, later_days) -> None:
    probability = fitted[name].probability(later_days.features)
    own = np.mean((probability - later_days.labels) ** 2)
    naive = np.mean((days.labels.mean() - later_days.labels) ** 2)
    assert 1 - own / naive > 0.1


@pytest.mark.parametrize("name", PUBLISHED_NAMES)
def test_probabilities_are_calibrated_though_the_fit_weighs_its_classes(name, fitted, later_days) -> None:
    probability = fitted[name].probability(later_days.features)
    assert ((probability > 0) & (probability < 1)).all()
    assert probability.mean() == pytest.approx(later_days.labels.mean(), abs=0.08)


@pytest.mark.parametrize("name", sorted(set(PUBLISHED_NAMES) - {"KNeighbors", "MLP", "NeuralNet"}))
def test_raw_probabilities_of_a_weighted_fit_are_larger_than_the_label_is_frequent(
    name, days, later_days
) -> None:
    rare = (np.random.default_rng(8).random(len(days.truth)) < days.truth**2).astype(float)
    raw = fit_classifier(name, days.features, rare, seed=3, embargo=10).raw_probability(later_days.features)
    assert raw.mean() > 1.25 * rare.mean()


@pytest.mark.parametrize("name", PUBLISHED_NAMES)
def test_same_seed_gives_the_same_probabilities(name, fitted, days) -> None:
    again = fit_classifier(name, days.features, days.labels, seed=3, embargo=10)
    np.testing.assert_array_equal(again.probability(days.features), fitted[name].probability(days.features))


@pytest.mark.parametrize("name", PUBLISHED_NAMES)
def test_labels_after_the_fit_rows_change_the_calibration_only(name, fitted, days) -> None:
    labels = days.labels.copy()
    labels[570:] = 1 - labels[570:]
    other = fit_classifier(name, days.features, labels, seed=3, embargo=10)
    np.testing.assert_array_equal(other.scores(days.features), fitted[name].scores(days.features))
    assert other.scaling.slope < fitted[name].scaling.slope


@pytest.mark.parametrize("name", ["LightGBM", "KNeighbors"])
def test_rows_of_the_embargo_are_not_read(name, fitted, days) -> None:
    features, labels = days.features.copy(), days.labels.copy()
    features[560:570], labels[560:570] = 50.0, 1 - labels[560:570]
    other = fit_classifier(name, features, labels, seed=3, embargo=10)
    assert other.scaling == fitted[name].scaling
    np.testing.assert_array_equal(other.scores(days.features), fitted[name].scores(days.features))


def test_each_candidate_is_a_pipeline_that_scales_where_scale_matters(fitted) -> None:
    assert all(isinstance(f.pipeline, Pipeline) for f in fitted.values())
    scaled = {name for name, f in fitted.items() if isinstance(f.pipeline["scaler"], StandardScaler)}
    assert scaled == {"SupportVectorMachine", "Ridge", "KNeighbors", "MLP", "NeuralNet"}


def test_class_weights_are_those_of_the_fit_rows(fitted, days) -> None:
    labels = days.labels[:560]
    expected = (labels == 0).sum() / (labels == 1).sum()
    assert fitted["XGBoost"].parameters["scale_pos_weight"] == pytest.approx(expected)
    assert fitted["NeuralNet"].parameters["positive_weight"] == pytest.approx(expected)
    for name in ("RandomForest", "SupportVectorMachine", "HistGradientBoosting", "Ridge", "LightGBM"):
        assert fitted[name].parameters["class_weight"] == "balanced"


def test_parameters_are_plain_values_with_the_calibration_among_them(fitted) -> None:
    for classifier in fitted.values():
        assert all(isinstance(value, str | int | float | bool) for value in classifier.parameters.values())
        assert classifier.parameters["calibration_slope"] == classifier.scaling.slope


def test_fit_leaves_the_random_numbers_and_threads_of_torch_alone(days) -> None:
    torch.manual_seed(11)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    fit_classifier("NeuralNet", days.features, days.labels, seed=3, embargo=10)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_one_class_only_is_refused_in_one_line(days) -> None:
    labels = days.labels.copy()
    labels[:560] = 0.0
    said = "^RandomForest: all 560 days to fit on have the label 0; take a longer"
    with pytest.raises(DataError, match=said):
        fit_classifier("RandomForest", days.features, labels, seed=3, embargo=10)


def test_a_quiet_season_to_calibrate_on_is_no_reason_to_refuse(days) -> None:
    labels = days.labels.copy()
    labels[570:] = 0.0
    fitted = fit_classifier("RandomForest", days.features, labels, seed=3, embargo=10)
    assert 0 < fitted.probability(days.features).max() < labels.mean() + 0.01


def test_short_history_is_refused_in_one_line(days) -> None:
    with pytest.raises(NotEnoughHistoryError, match=r"^Ridge: 60 labelled days; at least 200 are needed"):
        fit_classifier("Ridge", days.features[:60], days.labels[:60], seed=3, embargo=10)
    with pytest.raises(NotEnoughHistoryError):
        fit_classifier("Ridge", days.features[:250], days.labels[:250], seed=3, embargo=60)


@pytest.mark.parametrize("name", PUBLISHED_NAMES)
def test_features_that_never_vary_are_refused_in_one_line(name, days) -> None:
    with pytest.raises(DataError, match=rf"^{name}: no feature varies in the 560 days to fit on"):
        fit_classifier(name, np.ones_like(days.features), days.labels, seed=3, embargo=10)


def test_values_that_are_no_numbers_are_refused(days) -> None:
    features = days.features.copy()
    features[5, 5] = np.nan
    with pytest.raises(ValueError, match="finite"):
        fit_classifier("LightGBM", features, days.labels, seed=3, embargo=10)


@pytest.mark.slow
def test_all_ten_are_fitted_on_two_thousand_days_in_three_seconds_of_one_processor(later_days, days) -> None:
    features = np.concatenate([days.features, later_days.features])[:2000]
    labels = np.concatenate([days.labels, later_days.labels])[:2000]
    start = time.process_time()
    for name in CLASSIFIERS:
        fit_classifier(name, features, labels, seed=0, embargo=10)
    assert time.process_time() - start < 3.0
