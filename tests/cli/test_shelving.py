import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from make_us_rich.database.engine import open_database, sqlite_url
from make_us_rich.database.schema import upgrade
from make_us_rich.journal.histories import begin_history
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.record import record_forecasts
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.home_database import opened_database
from make_us_rich.operations.requests import TrainRequest
from make_us_rich.operations.train import train
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Settings
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from trial_journal import forecast_at

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
    request = TrainRequest(
        symbols=("BTC/USDT",), preset="volatility", source="simulated", since="250d", until="2024-01-01"
    )
    train(request, Settings(home=home, _env_file=None), datetime(2024, 1, 1, tzinfo=UTC))
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
    store.append(candles, Series("recorded", Symbol("BTC", "USDT"), Timeframe("1h")))
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


def test_histories_of_a_replay_leave_after_30_days_and_the_one_in_use_never(mur, settings):
    long_ago = datetime.now(UTC) - timedelta(days=31)
    with opened_database(settings) as database:
        for _ in range(2):
            begin_history(database, "replay", long_ago, long_ago)
        record_forecasts(Journal(database, "replay", 1), [forecast_at(long_ago, 100.0)], long_ago)
    would = mur("clean", "--market", "replay", "--dry-run", "--json").record
    assert [(one["number"], one["forecasts"]) for one in would["histories"]] == [(1, 18)]
    assert "history 1 of the replay market" in mur("clean", "--market", "replay").out
    assert mur("clean", "--market", "replay", "--json").record["histories"] == []
    assert mur("clean", "--market", "live", "--json").record["histories"] == []


def test_cleaning_makes_no_database(mur, settings):
    assert mur("clean", "--market", "replay", "--json").record["histories"] == []
    assert not (settings.home / "desk.db").exists()


def test_doctor_lists_what_was_joined(mur, settings):
    old = open_database(sqlite_url(settings.market_home("replay") / "desk.db"))
    upgrade(old, "0003")
    old.close()
    found = {one["name"]: one for one in mur("doctor", "--json").record["checks"]}
    assert found["replay database"]["verdict"] == "warning"
    mur("doctor", "--migrate", "--market", "replay")
    found = {one["name"]: one for one in mur("doctor", "--json").record["checks"]}
    assert "schema 0004" in found["database"]["says"]
    assert found["joined replay"]["says"].endswith("0 users, 0 tokens, 0 forecasts")
    assert "replay database" not in found
