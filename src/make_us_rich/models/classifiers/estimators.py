"""The ten candidates of a trend: what they are, each a scikit-learn pipeline with its scaler.

All run on one thread and from a seed. Class weights come from the labels of the fit, as published: balanced
where an estimator takes weights, `scale_pos_weight` in XGBoost, weighted rows in AdaBoost. KNeighbors and MLP
take none. Their settings are small on purpose: a few thousand days with overlapping labels hold perhaps a
hundred independent events.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from xgboost import XGBClassifier

from make_us_rich.arrays import FloatArray
from make_us_rich.models.classifiers.network import NeuralNetClassifier


@dataclass(frozen=True, slots=True)
class FitTerms:
    """What a candidate is built with: a seed, and how many negative labels there are per positive one."""

    seed: int
    negatives_per_positive: float


def _random_forest(terms: FitTerms) -> BaseEstimator:
    return RandomForestClassifier(
        n_estimators=100,
        max_depth=6,
        min_samples_leaf=15,
        max_features="sqrt",
        max_samples=0.5,
        class_weight="balanced",
        random_state=terms.seed,
        n_jobs=1,
    )


def _support_vector_machine(terms: FitTerms) -> BaseEstimator:
    return SVC(C=0.3, kernel="rbf", gamma="scale", class_weight="balanced", random_state=terms.seed)


def _xgboost(terms: FitTerms) -> BaseEstimator:
    return XGBClassifier(
        n_estimators=80,
        max_depth=3,
        learning_rate=0.05,
        min_child_weight=10,
        subsample=0.7,
        colsample_bytree=0.7,
        reg_lambda=10.0,
        scale_pos_weight=terms.negatives_per_positive,
        tree_method="hist",
        max_bin=64,
        n_jobs=1,
        random_state=terms.seed,
    )


def _hist_gradient_boosting(terms: FitTerms) -> BaseEstimator:
    return HistGradientBoostingClassifier(
        max_iter=60,
        max_leaf_nodes=8,
        learning_rate=0.05,
        min_samples_leaf=30,
        l2_regularization=10.0,
        max_bins=64,
        early_stopping=False,
        class_weight="balanced",
        random_state=terms.seed,
    )


def _ada_boost(terms: FitTerms) -> BaseEstimator:
    return AdaBoostClassifier(n_estimators=40, learning_rate=0.3, random_state=terms.seed)


def _ridge(terms: FitTerms) -> BaseEstimator:
    return RidgeClassifier(alpha=100.0, class_weight="balanced", random_state=terms.seed)


def _k_neighbors(_: FitTerms) -> BaseEstimator:
    return KNeighborsClassifier(n_neighbors=75, algorithm="brute", n_jobs=1)


def _mlp(terms: FitTerms) -> BaseEstimator:
    return MLPClassifier((16,), solver="lbfgs", alpha=30.0, max_iter=60, random_state=terms.seed)


def _lightgbm(terms: FitTerms) -> BaseEstimator:
    return LGBMClassifier(
        n_estimators=80,
        num_leaves=8,
        learning_rate=0.05,
        min_child_samples=30,
        subsample=0.7,
        subsample_freq=1,
        colsample_bytree=0.7,
        reg_lambda=10.0,
        max_bin=63,
        class_weight="balanced",
        deterministic=True,
        force_col_wise=True,
        n_jobs=1,
        random_state=terms.seed,
        verbosity=-1,
    )


def _neural_net(terms: FitTerms) -> BaseEstimator:
    return NeuralNetClassifier(positive_weight=terms.negatives_per_positive, random_state=terms.seed)


_ON_SCALED = ("SupportVectorMachine", "Ridge", "KNeighbors", "MLP", "NeuralNet")
_ON_WEIGHTED_ROWS = ("AdaBoost",)

CLASSIFIERS: Mapping[str, Callable[[FitTerms], BaseEstimator]] = {
    "RandomForest": _random_forest,
    "SupportVectorMachine": _support_vector_machine,
    "XGBoost": _xgboost,
    "HistGradientBoosting": _hist_gradient_boosting,
    "AdaBoost": _ada_boost,
    "Ridge": _ridge,
    "KNeighbors": _k_neighbors,
    "MLP": _mlp,
    "LightGBM": _lightgbm,
    "NeuralNet": _neural_net,
}
"""Name to a function that builds the estimator, unfitted."""


def fit_pipeline(name: str, features: FloatArray, labels: NDArray[np.int64], seed: int) -> Pipeline:
    """Return the fitted pipeline, steps `scaler` and `classifier`, of features (n, f) and labels (n,) 0/1."""
    balance = len(labels) / (2.0 * np.bincount(labels, minlength=2))
    estimator = CLASSIFIERS[name](FitTerms(seed, float(balance[1] / balance[0])))
    scaler = StandardScaler() if name in _ON_SCALED else "passthrough"
    pipeline = Pipeline([("scaler", scaler), ("classifier", estimator)])
    weights = {"classifier__sample_weight": balance[labels]} if name in _ON_WEIGHTED_ROWS else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the perceptron is stopped early on purpose
        pipeline.fit(features, labels, **weights)
    return pipeline
