"""One number per row from every kind of classifier, larger where the positive class is likelier."""

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from make_us_rich.arrays import FloatArray
from make_us_rich.models.classifiers.network import perceptron_output

SCORE_LIMIT = float(np.log(999.0))
"""Scores are held within the log-odds of 1/1000 and 999/1000: no few thousand days can tell more."""

PROBABILITY_LIMIT = 1e-3


def pipeline_scores(pipeline: Pipeline, features: FloatArray) -> FloatArray:
    """Return the bounded score (n,) of features (n, f).

    It is the log-odds where a classifier has probabilities, the decision function of a support vector
    machine or a ridge.
    """
    scaled = pipeline[:-1].transform(features)
    return np.clip(_unbounded(pipeline[-1], scaled), -SCORE_LIMIT, SCORE_LIMIT)


def _unbounded(classifier: object, features: FloatArray) -> FloatArray:
    match classifier:
        case LGBMClassifier():
            scores = classifier.booster_.predict(features, raw_score=True, num_threads=1)
        case XGBClassifier():
            scores = classifier.predict(features, output_margin=True)
        case MLPClassifier():
            scores = perceptron_output(features, classifier.coefs_, classifier.intercepts_)
        case _ if hasattr(classifier, "decision_function"):
            scores = classifier.decision_function(features)
        case _:
            scores = _log_odds(classifier.predict_proba(features)[:, 1])  # type: ignore[attr-defined]
    return np.asarray(scores, dtype=np.float64)


def _log_odds(probability: FloatArray) -> FloatArray:
    inside = np.clip(probability, PROBABILITY_LIMIT, 1.0 - PROBABILITY_LIMIT)
    return np.asarray(np.log(inside / (1.0 - inside)))
