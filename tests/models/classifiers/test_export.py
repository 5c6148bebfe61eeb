from dataclasses import replace

import numpy as np
import onnx
import pytest

from make_us_rich.errors import ArtifactError
from make_us_rich.models.classifiers.calibration import PlattScaling
from make_us_rich.models.classifiers.candidates import CLASSIFIERS, FittedClassifier, fit_classifier
from make_us_rich.models.classifiers.export import check_classifier_parity, export_classifier
from make_us_rich.models.trend_onnx import TrendClassifier

NAMES = list(CLASSIFIERS)


@pytest.fixture(scope="module")
def exported(fitted) -> dict[str, bytes]:
    return {name: export_classifier(classifier) for name, classifier in fitted.items()}


@pytest.mark.parametrize("name", NAMES)
def test_exported_probability_equals_the_fitted_one_on_every_row(name, fitted, exported, later_days) -> None:
    assert check_classifier_parity(fitted[name], exported[name], later_days.features) < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_parity_holds_on_the_splits_themselves_and_far_outside(name, fitted, exported, days) -> None:
    values = np.sort(days.features[:560], axis=0)
    between = ((values[:-1].astype(np.float64) + values[1:]) / 2).astype(np.float32)
    rows = np.concatenate([values, between, np.nextafter(between, np.float32(9)), 1e3 * values[::50]])
    assert check_classifier_parity(fitted[name], exported[name], rows) < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_parity_holds_on_indicators_that_sit_on_few_values(name, days) -> None:
    coarse = np.round(days.features)  # as Aroon does
    classifier = fit_classifier(name, coarse, days.labels, seed=3, embargo=10)
    if name == "KNeighbors":  # equal distances at the last neighbour: which one counts is not defined
        coarse = coarse + np.random.default_rng(0).normal(0, 0.1, coarse.shape).astype(np.float32)
    assert check_classifier_parity(classifier, export_classifier(classifier), coarse) < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_file_is_a_small_valid_model_with_one_output(name, exported) -> None:
    model = onnx.load_from_string(exported[name])
    onnx.checker.check_model(model)
    assert [value.name for value in model.graph.input] == ["features"]
    assert [value.name for value in model.graph.output] == ["probability"]
    assert len(exported[name]) < 1_500_000


@pytest.mark.parametrize("name", NAMES)
def test_fit_and_export_of_the_same_days_give_the_same_bytes(name, exported, days) -> None:
    again = fit_classifier(name, days.features, days.labels, seed=3, embargo=10)
    assert export_classifier(again) == exported[name]


@pytest.mark.parametrize("name", NAMES)
def test_batch_of_one_equals_its_row_in_a_large_batch(name, exported, later_days) -> None:
    runner = TrendClassifier(exported[name])
    whole = runner.probability(later_days.features)
    np.testing.assert_allclose(runner.probability(later_days.features[7:8]), whole[7:8], rtol=1e-9)


@pytest.mark.parametrize("name", ["RandomForest", "XGBoost", "HistGradientBoosting", "AdaBoost", "LightGBM"])
def test_trees_that_never_split_are_exported_too(name, days) -> None:
    flat = np.zeros_like(days.features)
    flat[0] = 1.0  # one day alone is no leaf, but for the stumps of AdaBoost
    classifier = fit_classifier(name, flat, days.labels, seed=3, embargo=10)
    assert check_classifier_parity(classifier, export_classifier(classifier), flat) < 1e-9


def test_model_that_says_something_else_is_refused(fitted, exported, days) -> None:
    scaling = fitted["Ridge"].scaling
    changed: FittedClassifier = replace(
        fitted["Ridge"], scaling=PlattScaling(scaling.intercept + 1e-3, scaling.slope)
    )
    with pytest.raises(ArtifactError, match=r"^Ridge: the exported model differs .* it is not shelved"):
        check_classifier_parity(changed, exported["Ridge"], days.features)
