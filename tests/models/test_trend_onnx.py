import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from make_us_rich.errors import ArtifactError
from make_us_rich.models.trend_onnx import TrendClassifier


@pytest.fixture(scope="module")
def mean_model() -> bytes:
    """A model by hand: the probability is the mean of two features."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["features"], ["wide"], to=TensorProto.DOUBLE),
            helper.make_node("ReduceMean", ["wide"], ["probability"], axes=[1], keepdims=0),
        ],
        "hand",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["batch"])],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def test_model_is_run_from_bytes_and_from_a_file(mean_model, tmp_path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(mean_model)
    features = np.array([[0.2, 0.4], [1.0, 0.0]])
    for model in (mean_model, path):
        probability = TrendClassifier(model).probability(features)
        assert probability.dtype == np.float64
        np.testing.assert_allclose(probability, [0.3, 0.5], atol=1e-7)


def test_missing_indicator_is_refused_instead_of_answered(mean_model) -> None:
    with pytest.raises(ValueError, match="must be finite; rows before the warm-up have none"):
        TrendClassifier(mean_model).probability(np.array([[0.2, np.nan]]))


def test_broken_file_is_refused_in_one_line(tmp_path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ArtifactError, match=r"model\.onnx: ONNX Runtime refuses the model") as caught:
        TrendClassifier(path)
    assert "\n" not in str(caught.value)


def test_running_a_model_loads_no_training_library() -> None:
    heavy = ("torch", "sklearn", "xgboost", "lightgbm", "shap", "scipy", "pandas", "onnx", "mlflow")
    code = (
        "import sys, make_us_rich.models.trend_onnx;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_hand_made_model_is_valid(mean_model) -> None:
    onnx.checker.check_model(onnx.load_from_string(mean_model))
