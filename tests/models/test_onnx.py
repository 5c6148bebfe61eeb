import os
import subprocess
import sys
from pathlib import Path


def test_onnx_runtime_leaves_no_trace_and_reports_to_nobody(tmp_path: Path) -> None:
    person, temporary = tmp_path / "person", tmp_path / "temporary"
    for folder in (person, temporary):
        folder.mkdir()
    # what ONNX Runtime itself takes for a sign to be silent must not make this pass
    suppressing = {"CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"}
    environment = {name: value for name, value in os.environ.items() if name not in suppressing}
    subprocess.run(
        [sys.executable, "-c", "import make_us_rich.models.onnx, onnxruntime"],
        env=environment | {"HOME": str(person), "TMPDIR": str(temporary)},
        check=True,
    )
    assert [*person.iterdir(), *temporary.iterdir()] == []
