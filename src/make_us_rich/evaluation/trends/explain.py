"""Which indicators move a trend classifier: Shapley values of its calibrated log-odds.

Shapley values share the difference between the answer for a day and the mean answer among the features
(Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017). All are in one unit,
log-odds of the probability that is served. Boosted trees, whose log-odds are a sum of trees, are explained
exactly by the tree explainer; the others, the forest with them since it averages probabilities, by
permutations of the exported model: features of the day replace those of other days one after the other, in a
random order and back again, and what each adds is averaged (Strumbelj and Kononenko, "Explaining Prediction
Models and Individual Predictions with Feature Contributions", KAIS 41 (2014)). That is done here, as the
explainer of `shap` is compiled for four seconds in every process. The values say what the model does, not
what moves the price.
"""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.models.classifiers.candidates import FittedClassifier
from make_us_rich.models.classifiers.export import export_classifier
from make_us_rich.models.trend_onnx import TrendClassifier

_TREE_EXPLAINED = ("XGBoost", "HistGradientBoosting", "LightGBM")
_TREE_ROWS, _PERMUTATION_ROWS, _BACKGROUND_ROWS = 200, 60, 30
_WORST = 1e-12  # a probability of 0 or 1 has no log-odds


@dataclass(frozen=True, slots=True)
class _Sampling:
    rng: np.random.Generator
    max_seconds: float


@dataclass(frozen=True, slots=True)
class TrendExplanation:
    """Shapley values of the calibrated log-odds, for some days: `values` and `features` are (n, f).

    `base_value` is the mean answer, to which the values of a day add up to its own.
    """

    candidate: str
    method: Literal["tree", "permutation"]
    base_value: float
    feature_names: tuple[str, ...]
    values: FloatArray
    features: FloatArray

    @property
    def mean_absolute(self) -> Mapping[str, float]:
        """How far each feature moves the answer on average, the furthest first."""
        means = zip(self.feature_names, np.abs(self.values).mean(axis=0).tolist(), strict=True)
        return dict(sorted(means, key=lambda item: -item[1]))

    @property
    def mean_signed(self) -> Mapping[str, float]:
        """In which direction each feature moved the answer on average, in the order of the features."""
        return dict(zip(self.feature_names, self.values.mean(axis=0).tolist(), strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values, rounded to what a picture shows."""
        return {
            "candidate": self.candidate,
            "method": self.method,
            "unit": "log-odds",
            "base_value": self.base_value,
            "n_rows": len(self.values),
            "mean_absolute": dict(self.mean_absolute),
            "mean_signed": dict(self.mean_signed),
            "feature_names": list(self.feature_names),
            "values": np.round(self.values, 6).tolist(),
            "features": np.round(self.features, 6).tolist(),
        }


def explain_classifier(
    fitted: FittedClassifier, features: NDArray[np.floating], seed: int, max_seconds: float = 5.0
) -> TrendExplanation:
    """Explain a classifier on some of the rows of features (n, 19), drawn from the seed.

    At most 200 rows, 60 by permutation. Those stop after `max_seconds`, which happens on a very busy machine
    only: then fewer rows come back, at least one.
    """
    rng = np.random.default_rng(seed)
    is_tree = fitted.name in _TREE_EXPLAINED
    n_rows = min(_TREE_ROWS if is_tree else _PERMUTATION_ROWS, len(features))
    chosen = rng.permutation(len(features))[:n_rows]  # as drawn: the first ones are a fair sample as well
    rows = np.asarray(features[chosen], dtype=np.float32).astype(np.float64)
    if is_tree:
        base_value, values = _tree_values(fitted, rows)
    else:
        background = features[rng.permutation(len(features))[:_BACKGROUND_ROWS]].astype(np.float64)
        base_value, values = _permutation_values(fitted, rows, background, _Sampling(rng, max_seconds))
    return TrendExplanation(
        candidate=fitted.name,
        method="tree" if is_tree else "permutation",
        base_value=base_value,
        feature_names=INDICATOR_NAMES,
        values=values,
        features=rows[: len(values)],
    )


def _tree_values(fitted: FittedClassifier, rows: FloatArray) -> tuple[float, FloatArray]:
    from shap import TreeExplainer  # takes seconds to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM's shape changed long ago; both are read here
        explainer = TreeExplainer(fitted.pipeline[-1])
        found = explainer.shap_values(rows)
    values = np.asarray(found[-1] if isinstance(found, list) else found, dtype=np.float64)
    scaling = fitted.scaling
    base = float(np.ravel(explainer.expected_value)[-1])
    return scaling.intercept + scaling.slope * base, scaling.slope * values


def _permutation_values(
    fitted: FittedClassifier, rows: FloatArray, background: FloatArray, sampling: _Sampling
) -> tuple[float, FloatArray]:
    exported = TrendClassifier(export_classifier(fitted))  # what is served, and faster than what was fitted

    def log_odds(given: FloatArray) -> FloatArray:
        probability = np.clip(exported.probability(given), _WORST, 1 - _WORST)
        return np.asarray(np.log(probability / (1 - probability)))

    end = time.monotonic() + sampling.max_seconds
    values: list[FloatArray] = []
    for row in rows:
        order = sampling.rng.permutation(len(row))
        forth, back = (_marginal_values(log_odds, row, background, way) for way in (order, order[::-1]))
        values.append((forth + back) / 2)
        if time.monotonic() > end:
            break
    return float(log_odds(background).mean()), np.stack(values)


def _marginal_values(
    answer: Callable[[FloatArray], FloatArray],
    row: FloatArray,
    background: FloatArray,
    order: NDArray[np.int64],
) -> FloatArray:
    # what each feature adds when the features of the row replace those of other days one after the other
    n_features, n_days = len(row), len(background)
    mixed = np.repeat(background[None], n_features + 1, axis=0)  # (step, day, feature)
    for step, feature in enumerate(order, start=1):
        mixed[step:, :, feature] = row[feature]
    means = answer(mixed.reshape(-1, n_features)).reshape(-1, n_days).mean(axis=1)
    values = np.empty(n_features)
    values[order] = np.diff(means)
    return values
