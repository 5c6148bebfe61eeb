from dataclasses import dataclass

import numpy as np
import pytest

from make_us_rich.models.classifiers.candidates import CLASSIFIERS, FittedClassifier, fit_classifier


@dataclass(frozen=True)
class Days:
    """Made-up days: 19 slow features, and a label that two of them tell something about."""

    features: np.ndarray
    labels: np.ndarray
    truth: np.ndarray


def make_days(n: int, seed: int) -> Days:
    rng = np.random.default_rng(seed)
    slow = np.stack(
        [np.convolve(rng.normal(size=n + 9), np.full(10, 0.3), mode="valid") for _ in range(19)], axis=1
    )
    features = (slow + 0.5 * rng.normal(size=(n, 19))).astype(np.float32)
    truth = 1 / (1 + np.exp(1.2 - 1.5 * features[:, 3] - features[:, 7]))
    return Days(features, (rng.random(n) < truth).astype(float), truth)


@pytest.fixture(scope="session")
def days() -> Days:
    return make_days(700, seed=1)


@pytest.fixture(scope="session")
def later_days() -> Days:
    return make_days(1500, seed=2)


@pytest.fixture(scope="session")
def fitted(days: Days) -> dict[str, FittedClassifier]:
    """All ten candidates, fitted on the same days."""
    return {
        name: fit_classifier(name, days.features, days.labels, seed=3, embargo=10) for name in CLASSIFIERS
    }
