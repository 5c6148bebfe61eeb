"""Write a fitted classifier with its scaler and calibration as one ONNX graph, and prove it says the same.

The graph is written here and not by a converter: a few short recipes in float64, so that no row falls on the
other side of a split, or swaps its last neighbour, because float32 rounds it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import ArtifactError
from make_us_rich.models.classifiers.calibration import PlattScaling
from make_us_rich.models.classifiers.candidates import FittedClassifier
from make_us_rich.models.classifiers.graph import Graph
from make_us_rich.models.classifiers.network import NeuralNetClassifier
from make_us_rich.models.classifiers.scores import PROBABILITY_LIMIT, SCORE_LIMIT
from make_us_rich.models.classifiers.trees import tree_sum
from make_us_rich.models.trend_onnx import TrendClassifier

PROBABILITY_TOLERANCE = 1e-5


def export_classifier(fitted: FittedClassifier) -> bytes:
    """Return the ONNX file: `features` float32 (batch, f) to calibrated `probability` float64 (batch,)."""
    classifier = fitted.pipeline[-1]
    graph = Graph(int(classifier.n_features_in_))
    features = graph.add("Cast", "features", to=TensorProto.DOUBLE)
    scaler = fitted.pipeline["scaler"]
    if isinstance(scaler, StandardScaler):
        centred = graph.add("Sub", features, graph.constant(scaler.mean_))
        features = graph.add("Div", centred, graph.constant(scaler.scale_))
    score = _add_score(graph, features, classifier)
    return graph.model_bytes(_add_calibration(graph, score, fitted.scaling))


def check_classifier_parity(fitted: FittedClassifier, model: bytes, features: NDArray[np.floating]) -> float:
    """Return the largest difference in probability over all rows (n, f); `ArtifactError` above 1e-5."""
    exported = TrendClassifier(model).probability(features)
    difference = float(np.abs(exported - fitted.probability(features)).max(initial=0.0))
    if not difference <= PROBABILITY_TOLERANCE:
        raise ArtifactError(
            f"{fitted.name}: the exported model differs from the fitted one by {difference:.1e} in "
            f"probability, {PROBABILITY_TOLERANCE:.0e} is allowed; it is not shelved"
        )
    return difference


def _add_score(graph: Graph, features: str, classifier: object) -> str:
    ensemble = tree_sum(classifier)
    if ensemble:
        summed = graph.add_trees(features, ensemble)
        return _add_log_odds(graph, summed) if isinstance(classifier, RandomForestClassifier) else summed
    for kind, add in _RECIPES.items():
        if isinstance(classifier, kind):
            return add(graph, features, classifier)
    raise ValueError(f"no recipe writes {type(classifier).__name__} as ONNX")


def _add_ridge(graph: Graph, features: str, ridge: RidgeClassifier) -> str:
    product = graph.add("MatMul", features, graph.constant(ridge.coef_.reshape(-1, 1)))
    return graph.add("Add", product, graph.constant(ridge.intercept_))


def _add_perceptron(graph: Graph, features: str, network: MLPClassifier | NeuralNetClassifier) -> str:
    layer = features
    for i, (weights, biases) in enumerate(zip(network.coefs_, network.intercepts_, strict=True)):
        layer = graph.add("Relu", layer) if i else layer
        product = graph.add("MatMul", layer, graph.constant(weights))
        layer = graph.add("Add", product, graph.constant(biases))
    return layer


def _add_support_vectors(graph: Graph, features: str, machine: SVC) -> str:
    distance = _add_squared_distance(graph, features, machine.support_vectors_)
    kernel = graph.add("Exp", graph.add("Mul", distance, graph.constant(-machine._gamma)))
    product = graph.add("MatMul", kernel, graph.constant(machine.dual_coef_.T))
    return graph.add("Add", product, graph.constant(machine.intercept_))


def _add_neighbors(graph: Graph, features: str, neighbors: KNeighborsClassifier) -> str:
    distance = _add_squared_distance(graph, features, neighbors._fit_X)
    count = graph.constant(np.array([neighbors.n_neighbors], dtype=np.int64))
    _, nearest = graph.add_many("TopK", [distance, count], 2, axis=1, largest=0)
    labels = graph.add("Gather", graph.constant(neighbors._y.astype(np.float64)), nearest)
    return _add_log_odds(graph, graph.add("ReduceMean", labels, axes=[1], keepdims=1))


def _add_squared_distance(graph: Graph, features: str, points: FloatArray) -> str:
    own = graph.add("ReduceSumSquare", features, axes=[1], keepdims=1)
    crossed = graph.add("MatMul", features, graph.constant(-2.0 * points.T))
    return graph.add("Add", graph.add("Add", own, crossed), graph.constant((points**2).sum(axis=1)))


def _add_log_odds(graph: Graph, probability: str) -> str:
    low, high = graph.constant(PROBABILITY_LIMIT), graph.constant(1.0 - PROBABILITY_LIMIT)
    inside = graph.add("Clip", probability, low, high)
    return graph.add("Log", graph.add("Div", inside, graph.add("Sub", graph.constant(1.0), inside)))


def _add_calibration(graph: Graph, score: str, scaling: PlattScaling) -> str:
    bounded = graph.add("Clip", score, graph.constant(-SCORE_LIMIT), graph.constant(SCORE_LIMIT))
    flat = graph.add("Reshape", bounded, graph.constant(np.array([-1], dtype=np.int64)))
    negated = graph.add("Mul", flat, graph.constant(-scaling.slope))
    odds_against = graph.add("Exp", graph.add("Sub", negated, graph.constant(scaling.intercept)))
    one = graph.constant(1.0)
    return graph.add("Div", one, graph.add("Add", one, odds_against))


_RECIPES: dict[type, Callable[..., str]] = {
    RidgeClassifier: _add_ridge,
    MLPClassifier: _add_perceptron,
    NeuralNetClassifier: _add_perceptron,
    SVC: _add_support_vectors,
    KNeighborsClassifier: _add_neighbors,
}
