"""Build an ONNX graph operator by operator: every value has a made-up name, constants are float64."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from onnx import NodeProto, TensorProto, helper, numpy_helper

from make_us_rich.models.classifiers.trees import Tree, TreeSum

_OPSET, _TREE_OPSET = 17, 5
_IR_VERSION = 9  # older runtimes refuse a newer one, which is not needed
_SUM, _RULES = 1, {"<=": 0, "<": 1}


class Graph:
    """A graph in the making, from `features` (batch, n_features) in float32 to `probability` (batch,)."""

    def __init__(self, n_features: int) -> None:
        self._n_features = n_features
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, value: ArrayLike) -> str:
        """Add a constant, float64 unless it is whole numbers, and return its name."""
        array = np.asarray(value)
        array = array if array.dtype == np.int64 else array.astype(np.float64)
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Add an operator and return the name of its output."""
        return self.add_many(operator, inputs, 1, **attributes)[0]

    def add_many(
        self, operator: str, inputs: Sequence[str], n_outputs: int, **attributes: object
    ) -> list[str]:
        """Add an operator with several outputs and return their names."""
        outputs = [f"value{len(self._nodes)}_{i}" for i in range(n_outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), outputs, **attributes))
        return outputs

    def add_trees(self, features: str, ensemble: TreeSum) -> str:
        """Add the sum of the trees, (batch, 1), and return its name."""
        flat = _flat_trees(ensemble)
        summed = self.add("TreeEnsemble", features, domain="ai.onnx.ml", **flat)
        return self.add("Add", summed, self.constant(ensemble.base))

    def model_bytes(self, probability: str) -> bytes:
        """Return the model file whose output is the named value."""
        self._nodes.append(helper.make_node("Identity", [probability], ["probability"]))
        graph = helper.make_graph(
            self._nodes,
            "trend",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", self._n_features])],
            [helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["batch"])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _TREE_OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="make-us-rich"
        )
        content: bytes = model.SerializeToString()
        return content


def _flat_trees(ensemble: TreeSum) -> dict[str, object]:
    # the operator keeps inner nodes and leaves of all trees in two lists
    inner: dict[str, list[np.ndarray]] = {key: [] for key in ("feature", "split", *_CHILD_KEYS)}
    leaves: list[np.ndarray] = []
    roots = []
    n_inner = n_leaves = 0
    for tree in map(_with_inner_root, ensemble.trees):
        is_leaf = tree.left < 0
        number = np.where(is_leaf, np.cumsum(is_leaf) - 1 + n_leaves, np.cumsum(~is_leaf) - 1 + n_inner)
        roots.append(n_inner)
        inner["feature"].append(tree.feature[~is_leaf])
        inner["split"].append(tree.split[~is_leaf])
        for side, child in (("true", tree.left[~is_leaf]), ("false", tree.right[~is_leaf])):
            inner[f"{side}nodeids"].append(number[child])
            inner[f"{side}leafs"].append(is_leaf[child])
        leaves.append(tree.value[is_leaf])
        n_inner, n_leaves = n_inner + int((~is_leaf).sum()), n_leaves + int(is_leaf.sum())
    joined = {key: np.concatenate(parts) for key, parts in inner.items()}
    return {
        "aggregate_function": _SUM,
        "n_targets": 1,
        "post_transform": 0,
        "tree_roots": roots,
        "nodes_featureids": joined["feature"].tolist(),
        "nodes_modes": numpy_helper.from_array(np.full(n_inner, _RULES[ensemble.rule], dtype=np.uint8)),
        "nodes_splits": numpy_helper.from_array(joined["split"].astype(np.float64)),
        "leaf_targetids": [0] * n_leaves,
        "leaf_weights": numpy_helper.from_array(np.concatenate(leaves).astype(np.float64)),
        **{f"nodes_{key}": joined[key].astype(np.int64).tolist() for key in _CHILD_KEYS},
    }


_CHILD_KEYS = ("truenodeids", "trueleafs", "falsenodeids", "falseleafs")


def _with_inner_root(tree: Tree) -> Tree:
    if tree.left[0] >= 0:
        return tree
    # a tree that never split: the operator wants a node, so both ways lead to the same value
    return Tree(
        np.array([0, 0, 0]),
        np.zeros(3),
        np.array([1, -1, -1]),
        np.array([2, -1, -1]),
        np.repeat(tree.value[:1], 3),
    )
