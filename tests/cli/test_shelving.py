import io
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from make_us_rich.commands.experiments import train_experiment
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Settings
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from make_us_rich.training.experiment import preset_experiment

NAME = "price.BTC-USDT.1h"
REPLAY = ("--market", "replay")


@pytest.fixture
def shelf(settings):
    """Three versions of a toy model from March 2024 in the replay market, the second one served."""
    shelf = Workplace(settings, "replay").shelf()
    for spread in (0.01, 0.02, 0.03):
        shelf.shelve(toy_draft(model=ToyPriceModel(spread=spread)))
    shelf.promote(NAME, 2, "better than persistence", datetime(2024, 3, 2, tzinfo=UTC))
    return shelf


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """A home in which one model has been trained on simulated hours."""
    home = tmp_path_factory.mktemp("trained")
    experiment = preset_experiment(
        "volatility", "BTC/USDT", source="simulated", since="250d", until="2024-01-01"
    )
    with ProgressReport(io.StringIO()) as progress:
        now = datetime(2024, 1, 1, tzinfo=UTC)
        train_experiment(Settings(home=home, _env_file=None), None, experiment, now, progress)
    return home


@pytest.fixture
def trained(trained_once, home):
    shutil.copytree(trained_once, home)


def test_an_exported_model_runs_by_the_line_it_is_announced_with(mur, shelf, tmp_path):
    answer = mur("export", NAME, str(tmp_path / "bundle"), *REPLAY)
    assert answer.status == 0, answer.err
    assert answer.out.startswith(f"{NAME} version 2 is in {tmp_path / 'bundle'}: model.onnx, ")
    command = answer.out.splitlines()[-1].removeprefix("Try it with: python ")
    ran = subprocess.run([sys.executable, command], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("1 candles ahead: ")


def test_a_named_version_is_the_one_that_is_exported(mur, shelf, tmp_path):
    record = mur("export", f"{NAME}@3", str(tmp_path / "bundle"), *REPLAY, "--json").record
    assert (record["version"], record["market"]) == (3, "replay")
    exported = (tmp_path / "bundle" / "model.onnx").read_bytes()
    assert exported == (shelf.folder(NAME, 3) / "model.onnx").read_bytes()


def test_a_folder_that_holds_something_is_refused(mur, shelf, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    answer = mur("export", NAME, str(tmp_path / "mine"), *REPLAY)
    assert (answer.status, answer.out) == (2, "")
    assert "is not empty" in answer.line


def test_cleaning_lists_what_it_removes_and_a_dry_run_only_lists(mur, shelf):
    planned = mur("clean", *REPLAY, "--dry-run")
    assert planned.out.splitlines()[0] == f"{NAME} version 1, trained 2024-03-01 02:00: would be removed"
    assert shelf.versions(NAME) == [1, 2, 3]
    record = mur("clean", *REPLAY, "--json").record
    assert [(old["name"], old["version"]) for old in record["versions"]] == [(NAME, 1)]
    assert record["freed_bytes"] == record["versions"][0]["size_bytes"] > 0
    assert shelf.versions(NAME) == [2, 3]
    assert mur("clean", *REPLAY).out.startswith("Nothing to remove")


def test_the_versions_of_a_replay_age_with_its_candles(mur, shelf, settings, make_candles):
    candles = make_candles(24 * 70, datetime(2024, 1, 1, tzinfo=UTC))
    store = Workplace(settings, "replay").store()
    store.append(candles, "recorded", Symbol("BTC", "USDT"), Timeframe("1h"))
    assert mur("clean", *REPLAY, "--json").record["versions"] == []


def test_a_trained_model_is_reproduced_from_what_is_stored(mur, trained):
    answer = mur("models", "reproduce", NAME, "--market", "simulated")
    assert answer.status == 0, answer.err
    assert answer.out.startswith(f"{NAME} version 1: reproduced (the same file, ")
    assert f"Reproducing {NAME}@1: " in answer.err


def test_a_model_without_its_snapshot_is_not_made_again(mur, trained, home):
    shutil.rmtree(home / "simulated" / "snapshots")
    answer = mur("models", "reproduce", NAME, "--market", "simulated")
    assert (answer.status, answer.out) == (1, "")
    assert "restore that file, or train again" in answer.line


def test_a_model_that_does_not_come_out_again_fails_with_what_differs(mur, trained, settings):
    path = Workplace(settings, "simulated").shelf().folder(NAME, 1) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["experiment"]["horizons"] = [1, 2]
    manifest["library_versions"]["torch"] = "0.1"
    path.write_text(json.dumps(manifest))
    answer = mur("models", "reproduce", NAME, "--market", "simulated")
    assert answer.status == 1
    lines = answer.out.splitlines()
    assert lines[0] == f"{NAME} version 1: NOT reproduced"
    assert "  horizons: 1, 2, 4, 8, 12, 24 then, 1, 2 now" in lines
    assert any(line.startswith("  torch was 0.1, is ") for line in lines)
