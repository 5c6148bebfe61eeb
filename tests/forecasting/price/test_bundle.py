import re

import numpy as np
import pytest

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.forecasting.price.bundle import price_bundle, readme
from make_us_rich.registry.bundle import export_bundle
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from stranger import run_example

NAME = "price.BTC-USDT.1h"
SERVED = {"1": "toy", "2": "toy", "4": "toy", "8": "toy", "12": "toy", "24": "persistence"}


@pytest.fixture
def artifact(shelf):
    record = HorizonEvidence(
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
    export_bundle(artifact, price_bundle(artifact.manifest), tmp_path / "bundle")
    return tmp_path / "bundle"


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
    export_bundle(artifact, price_bundle(artifact.manifest), tmp_path / "bundle")
    assert run_example(tmp_path / "bundle").returncode == 0
    text = (tmp_path / "bundle" / "README.md").read_text()
    assert "- `columns`: float64, batch × 48 × 2: `trades`, `market_variance`" in text
    assert "`market_variance` is the geometric mean, over ETH/USDT," in text


def test_a_model_of_candles_only_says_nothing_of_more(artifact):
    assert "`columns`" not in readme(artifact.manifest)


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


def test_the_readme_says_for_each_horizon_how_good_it_is_and_whether_to_use_it(artifact):
    text = readme(artifact.manifest)
    assert "| 1 | +4.1% | 91.2% | 12 | yes |" in text
    assert "| 2 | unknown | unknown | 0 | no: nothing is proven better than toy |" in text
    assert "| 24 | unknown | unknown | 0 | no: nothing is proven better than persistence |" in text
    assert "SIMULATED" not in text


def test_the_readme_of_a_simulated_model_says_so(artifact):
    assert "SIMULATED" in readme(artifact.manifest.model_copy(update={"market": "simulated"}))
