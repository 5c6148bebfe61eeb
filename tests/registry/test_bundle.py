import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from make_us_rich.errors import StoreError, UsageError
from make_us_rich.registry.bundle import export_bundle, readme
from make_us_rich.registry.manifest import EvidenceRecord
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft

NAME = "price.BTC-USDT.1h"
_STRANGER = """
import runpy, sys
sys.modules["make_us_rich"] = None
runpy.run_path("predict.py", run_name="__main__")
"""
SERVED = {"1": "toy", "2": "toy", "4": "toy", "8": "toy", "12": "toy", "24": "persistence"}


@pytest.fixture
def artifact(shelf):
    record = EvidenceRecord(
        horizon=1,
        folds=4,
        blocks=12,
        n=2016,
        skill={"persistence": 0.0412},
        skill_sd=0.01,
        p_value={"persistence": 0.001},
        coverage_90=0.912,
        coverage_se=0.01,
        served_by="toy",
    )
    version = shelf.shelve(toy_draft(changes={"served_by": SERVED, "evidence": {"toy": (record,)}}))
    return shelf.load(NAME, version)


@pytest.fixture
def bundle(artifact, tmp_path):
    export_bundle(artifact, tmp_path / "bundle")
    return tmp_path / "bundle"


def run_example(folder):
    """Run the example as a stranger would: in its folder, with nothing of ours to import."""
    return subprocess.run(
        [sys.executable, "-I", "-c", _STRANGER],
        cwd=folder, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip


def test_the_example_runs_without_make_us_rich(artifact, bundle):
    ran = run_example(bundle)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert len(lines) == 6
    with np.load(artifact.folder / "golden.npz") as golden:
        low, median, high = golden["quantiles"][-1, 0, [1, 6, 11]]
    assert lines[0] == f"1 candles ahead: {median:.6g}, 90 % between {low:.6g} and {high:.6g}"


def test_a_model_that_reads_the_market_says_how_and_runs_all_the_same(shelf, tmp_path):
    draft = toy_draft(model=ToyPriceModel(activity=("trades", "market_variance")))
    artifact = shelf.load(NAME, shelf.shelve(draft))
    export_bundle(artifact, tmp_path / "bundle")
    assert run_example(tmp_path / "bundle").returncode == 0
    text = (tmp_path / "bundle" / "README.md").read_text()
    assert "- `activity`: float64, batch × 48 × 2: `trades`, `market_variance`" in text
    assert "`market_variance` is the geometric mean, over ETH/USDT," in text


def test_a_model_of_candles_only_says_nothing_of_more(artifact):
    assert "activity" not in readme(artifact.manifest)


def test_the_example_says_when_a_machine_computes_something_else(bundle):
    with np.load(bundle / "golden.npz") as golden:
        changed = dict(golden) | {"quantiles": golden["quantiles"] * 1.001}
    np.savez(bundle / "golden.npz", **changed)
    ran = run_example(bundle)
    assert ran.returncode == 1
    assert "other numbers" in ran.stderr


def test_the_example_is_short_and_imports_two_libraries(bundle):
    code = (bundle / "predict.py").read_text()
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    assert set(re.findall(r"^ *(?:import|from) (\w+)", code, re.MULTILINE)) == {
        "json",
        "os",
        "pathlib",
        "numpy",
        "onnxruntime",
    }


def test_the_bundle_holds_the_shelved_model_and_manifest_unchanged(artifact, tmp_path):
    files = export_bundle(artifact, tmp_path / "new" / "bundle")
    assert {path.name for path in files} == {
        "model.onnx",
        "golden.npz",
        "manifest.json",
        "README.md",
        "predict.py",
    }
    assert {path.name for path in (tmp_path / "new" / "bundle").iterdir()} == {path.name for path in files}
    for name in ("model.onnx", "manifest.json"):
        assert (tmp_path / "new" / "bundle" / name).read_bytes() == (artifact.folder / name).read_bytes()
    assert json.loads((tmp_path / "new" / "bundle" / "manifest.json").read_text())["name"] == NAME


def test_the_readme_says_for_each_horizon_how_good_it_is_and_whether_to_use_it(artifact):
    text = readme(artifact.manifest)
    assert "| 1 | +4.1% | 91.2% | 12 | yes |" in text
    assert "| 2 | unknown | unknown | 0 | no: nothing is proven better than toy |" in text
    assert "| 24 | unknown | unknown | 0 | no: nothing is proven better than persistence |" in text
    assert "SIMULATED" not in text


def test_the_readme_of_a_simulated_model_says_so(artifact):
    assert "SIMULATED" in readme(artifact.manifest.model_copy(update={"market": "simulated"}))


def test_a_folder_that_holds_something_is_left_alone(artifact, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty; name a folder"):
        export_bundle(artifact, tmp_path)
    assert not (tmp_path / "model.onnx").exists()


def test_a_file_is_no_folder(artifact, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="not a folder"):
        export_bundle(artifact, tmp_path / "file")


def test_a_folder_under_a_file_is_named(artifact, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="file"):
        export_bundle(artifact, tmp_path / "file" / "bundle")
