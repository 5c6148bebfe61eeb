import json
import math
import time
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from make_us_rich.evaluation.reporting.figures.importance import beeswarm_figure, importance_figure
from make_us_rich.evaluation.trends.explain import TrendExplanation, explain_classifier
from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.models.classifiers.candidates import CLASSIFIERS, FittedClassifier, fit_classifier

NAMES = list(CLASSIFIERS)
BOOSTED = {"XGBoost", "HistGradientBoosting", "LightGBM"}
TELLING = (3, 7)  # of the made-up features the label depends on these, and grows with both


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(600, len(INDICATOR_NAMES))).astype(np.float32)


@pytest.fixture(scope="module")
def explained(features) -> dict[str, tuple[FittedClassifier, TrendExplanation]]:
    log_odds = 2.0 * features[:, TELLING[0]] + 1.2 * features[:, TELLING[1]] - 1.0
    labels = (np.random.default_rng(1).random(600) < 1 / (1 + np.exp(-log_odds))).astype(float)
    fits = {name: fit_classifier(name, features, labels, seed=2, embargo=10) for name in NAMES}
    return {name: (fitted, explain_classifier(fitted, features, seed=3)) for name, fitted in fits.items()}


@pytest.mark.parametrize("name", NAMES)
def test_values_of_a_day_add_up_to_the_log_odds_that_are_served(name, explained) -> None:
    fitted, explanation = explained[name]
    probability = fitted.probability(explanation.features)
    served = np.log(probability / (1 - probability))
    np.testing.assert_allclose(explanation.base_value + explanation.values.sum(axis=1), served, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_features_that_tell_something_come_first(name, explained) -> None:
    first, second = (INDICATOR_NAMES[j] for j in TELLING)
    assert list(explained[name][1].mean_absolute)[:2] == [first, second]


@pytest.mark.parametrize("name", NAMES)
def test_larger_value_of_a_telling_feature_raises_the_answer(name, explained) -> None:
    explanation = explained[name][1]
    for j in TELLING:
        assert np.corrcoef(explanation.features[:, j], explanation.values[:, j])[0, 1] > 0.5


def test_boosted_trees_are_explained_exactly_and_the_others_by_permutation(explained) -> None:
    assert {name for name, (_, e) in explained.items() if e.method == "tree"} == BOOSTED
    assert all(len(e.values) == (200 if name in BOOSTED else 60) for name, (_, e) in explained.items())


def test_permutation_finds_the_values_of_a_linear_model(explained, features) -> None:
    fitted, explanation = explained["Ridge"]
    weights = fitted.scaling.slope * fitted.pipeline[-1].coef_.ravel() / fitted.pipeline["scaler"].scale_
    expected = weights * (explanation.features - explanation.features.mean(axis=0))
    differences = explanation.values - expected
    np.testing.assert_allclose(differences.std(axis=0), 0.0, atol=1e-9)  # but for the mean of the other days


@pytest.mark.parametrize("name", ["LightGBM", "SupportVectorMachine"])
def test_same_seed_explains_the_same_days_alike(name, explained, features) -> None:
    fitted, explanation = explained[name]
    again = explain_classifier(fitted, features, seed=3)
    np.testing.assert_array_equal(again.values, explanation.values)
    np.testing.assert_array_equal(again.features, explanation.features)


def test_no_time_left_explains_one_day_and_not_none(explained, features) -> None:
    explanation = explain_classifier(explained["KNeighbors"][0], features, seed=3, max_seconds=0.0)
    assert explanation.values.shape == explanation.features.shape == (1, 19)


def test_every_candidate_is_explained_in_five_seconds(explained, features) -> None:
    for fitted, _ in explained.values():
        start = time.process_time()
        explain_classifier(fitted, features, seed=4)
        assert time.process_time() - start < 5.0


def test_json_holds_what_the_pictures_show(explained) -> None:
    explanation = explained["LightGBM"][1]
    content = json.loads(json.dumps(explanation.to_json()))
    assert content["unit"] == "log-odds"
    assert content["feature_names"] == list(INDICATOR_NAMES)
    assert np.shape(content["values"]) == np.shape(content["features"]) == (content["n_rows"], 19)
    first = INDICATOR_NAMES[TELLING[0]]
    column = np.array(content["values"])[:, TELLING[0]]
    assert content["mean_absolute"][first] == pytest.approx(np.abs(column).mean(), abs=1e-5)
    assert content["mean_signed"][first] == pytest.approx(column.mean(), abs=1e-5)


@pytest.mark.parametrize("name", ["LightGBM", "SupportVectorMachine"])
def test_pictures_name_every_feature_and_draw_every_day(name, explained) -> None:
    explanation = explained[name][1]
    bars, swarm = importance_figure(explanation), beeswarm_figure(explanation)
    for picture in (bars, swarm):
        words = list(ET.fromstring(picture).itertext())
        assert set(INDICATOR_NAMES) <= set(words)
        assert "nan" not in picture
    assert bars.count('<path class="band candidate inner"') == 19
    assert swarm.count("<circle cx") == explanation.values.size


def test_picture_of_a_model_that_knows_nothing_is_drawn_all_the_same() -> None:
    nothing = TrendExplanation(
        "Ridge", "permutation", -1.0, INDICATOR_NAMES, np.zeros((5, 19)), np.ones((5, 19))
    )
    for picture in (importance_figure(nothing), beeswarm_figure(nothing)):
        assert ET.fromstring(picture).tag == "svg"
        assert not math.isnan(float(ET.fromstring(picture).get("viewBox", "nan").split()[2]))
