"""A model as MLflow keeps one: a folder with the ONNX file and `MLmodel`, which holds the signature.

MLflow's own writer wants pandas and guesses requirements by loading the model; its layout is a documented
YAML file (MLflow documentation, "MLflow Models", storage format), so it is written here.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import yaml

from make_us_rich.registry.artifact import MODEL_FILE
from make_us_rich.registry.manifest import TensorSpec
from make_us_rich.registry.run_record import RunRecord

MODEL_FOLDER = "model"


def save_mlflow_model(folder: Path, run: RunRecord, onnx: bytes, *, run_id: str) -> None:
    """Write a model of a training below `folder`, with the inputs and outputs of the shelved one."""
    target = folder / MODEL_FOLDER
    target.mkdir(parents=True)
    (target / MODEL_FILE).write_bytes(onnx)
    content = _described(run, len(onnx), run_id)
    (target / "MLmodel").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _described(run: RunRecord, size: int, run_id: str) -> dict[str, object]:
    version = run.tags.get("library.onnx", "")
    return {
        "artifact_path": MODEL_FOLDER,
        "run_id": run_id,
        "utc_time_created": _written(run.trained_at),
        "model_size_bytes": size,
        "flavors": {
            "onnx": {
                "data": MODEL_FILE,
                "onnx_version": version,
                "providers": ["CPUExecutionProvider"],
                "code": None,
            },
            "python_function": {"loader_module": "mlflow.onnx", "data": MODEL_FILE, "code": None},
        },
        "signature": {"inputs": _tensors(run.inputs), "outputs": _tensors(run.outputs), "params": None},
    }


def _tensors(specs: Sequence[TensorSpec]) -> str:
    tensors = [
        {
            "name": spec.name,
            "type": "tensor",
            # -1 is a length that is free
            "tensor-spec": {
                "dtype": spec.dtype,
                "shape": [size if isinstance(size, int) else -1 for size in spec.shape],
            },
        }
        for spec in specs
    ]
    return json.dumps(tensors)


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"
