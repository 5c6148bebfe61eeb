"""The trees of five libraries as plain arrays in one form, as they are written into the exported model.

Every library keeps its trees where only its own code is meant to look; that each is read rightly is shown by
the parity of every export.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from xgboost import XGBClassifier

from make_us_rich.arrays import FloatArray

_LEAF = -1


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes by number, the root first; a leaf has a value and no `left` (-1), others feature and split."""

    feature: NDArray[np.int64]
    split: FloatArray
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: FloatArray


@dataclass(frozen=True, slots=True)
class TreeSum:
    """`base` plus the leaf of every tree; a row goes left where its feature is `rule` the split."""

    trees: tuple[Tree, ...]
    base: float = 0.0
    rule: Literal["<=", "<"] = "<="


def tree_sum(classifier: object) -> TreeSum | None:
    """Return the trees behind the score of a classifier (in a forest: its probability); None without any."""
    match classifier:
        case RandomForestClassifier():
            return TreeSum(
                tuple(_forest_tree(e.tree_, classifier.n_estimators) for e in classifier.estimators_)
            )
        case AdaBoostClassifier():
            return _ada_boost(classifier)
        case HistGradientBoostingClassifier():
            trees = tuple(_histogram_tree(stage[0].nodes) for stage in classifier._predictors)
            return TreeSum(trees, float(classifier._baseline_prediction[0, 0]))
        case XGBClassifier():
            return _xgboost(classifier)
        case LGBMClassifier():
            stored = classifier.booster_.dump_model()["tree_info"]
            return TreeSum(tuple(_lightgbm_tree(tree["tree_structure"]) for tree in stored))
    return None


def _forest_tree(tree: Any, n_trees: int) -> Tree:
    weight = tree.value[:, 0, :]
    return _scikit_tree(tree, weight[:, 1] / weight.sum(axis=1) / n_trees)


def _scikit_tree(tree: Any, value: FloatArray) -> Tree:
    return Tree(tree.feature, tree.threshold, tree.children_left, tree.children_right, value)


def _ada_boost(classifier: Any) -> TreeSum:
    # a vote counts twice: once for its own class and once against the other
    weights = 2.0 * classifier.estimator_weights_ / classifier.estimator_weights_.sum()
    trees = []
    for estimator, weight in zip(classifier.estimators_, weights, strict=False):
        votes = estimator.tree_.value[:, 0, :]
        trees.append(_scikit_tree(estimator.tree_, np.where(votes[:, 1] > votes[:, 0], weight, -weight)))
    return TreeSum(tuple(trees))


def _histogram_tree(nodes: Any) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(is_leaf, _LEAF, nodes[side].astype(np.int64)) for side in ("left", "right"))
    return Tree(nodes["feature_idx"].astype(np.int64), nodes["num_threshold"], left, right, nodes["value"])


def _xgboost(classifier: Any) -> TreeSum:
    learner = json.loads(classifier.get_booster().save_raw("json"))["learner"]
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    trees = []
    for stored in learner["gradient_booster"]["model"]["trees"]:
        split = np.array(stored["split_conditions"], dtype=np.float32).astype(np.float64)
        left, right = np.array(stored["left_children"]), np.array(stored["right_children"])
        trees.append(Tree(np.array(stored["split_indices"]), split, left, right, split))
    return TreeSum(tuple(trees), float(np.log(base / (1.0 - base))), "<")


def _lightgbm_tree(root: dict[str, Any]) -> Tree:
    nodes = [root]
    children = []
    for node in nodes:  # grows while it is read
        if "leaf_value" in node:
            children.append((_LEAF, _LEAF))
        else:
            children.append((len(nodes), len(nodes) + 1))
            nodes += [node["left_child"], node["right_child"]]
    left, right = np.array(children).T
    return Tree(
        np.array([node.get("split_feature", 0) for node in nodes]),
        np.array([node.get("threshold", 0.0) for node in nodes], dtype=np.float64),
        left,
        right,
        np.array([node.get("leaf_value", 0.0) for node in nodes], dtype=np.float64),
    )
