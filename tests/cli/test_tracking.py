from datetime import UTC, datetime

import pytest

from make_us_rich.operations.workplace import Workplace
from make_us_rich.registry.mlflow import CHAMPION_ALIAS, MlflowMirror
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft

NAME = "price.BTC-USDT.1h"
REPLAY = ("--market", "replay")


@pytest.fixture
def shelf(settings):
    shelf = Workplace(settings, "replay").shelf()
    for spread in (0.01, 0.02):
        shelf.shelve(toy_draft(model=ToyPriceModel(spread=spread)))
    shelf.promote(NAME, 1, "better than persistence", datetime(2024, 3, 2, tzinfo=UTC))
    return shelf


def checks_of(answer):
    return {check["name"]: check for check in answer.record["checks"]}


@pytest.mark.slow
def test_a_promotion_moves_the_alias_and_the_doctor_reports_one_that_was_moved(mur, shelf, home, monkeypatch):
    monkeypatch.setenv("MUR_TRACKING", "mlflow")
    monkeypatch.setenv("MUR_EXCHANGE_URL", "http://127.0.0.1:9")
    assert mur("models", "promote", f"{NAME}@2", *REPLAY).status == 0
    mirror = MlflowMirror(home / "replay" / "mlflow")
    assert mirror.versions() == {NAME: ["2"]}
    assert checks_of(mur("doctor", "--json"))["replay MLflow"]["verdict"] == "ok"

    assert mur("models", "rollback", NAME, *REPLAY).status == 0
    assert mirror.differences(shelf) == []
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=mirror.uri, registry_uri=mirror.uri)
    client.set_registered_model_alias(NAME, CHAMPION_ALIAS, "1")
    check = checks_of(mur("doctor", "--json"))["replay MLflow"]
    assert check["verdict"] == "warning"
    assert "shows version 2, served is 1; the shelf decides" in check["says"]
    assert shelf.champion(NAME).version == 1


def test_a_store_that_cannot_be_written_is_a_warning_and_the_promotion_stands(mur, shelf, home, monkeypatch):
    monkeypatch.setenv("MUR_TRACKING", "mlflow")
    (home / "replay" / "mlflow").write_text("a file where the folder should be")
    answer = mur("models", "promote", f"{NAME}@2", *REPLAY)
    assert answer.status == 0
    assert answer.err.startswith(f"Warning: MLflow was not told about the champion of {NAME} (")
    assert shelf.champion(NAME).version == 2


def test_without_a_tracker_no_store_is_made(mur, shelf, home):
    mur("models", "promote", f"{NAME}@2", *REPLAY)
    assert sorted(path.name for path in (home / "replay").iterdir()) == ["shelf"]


def test_an_unknown_tracker_is_refused_by_name(mur, shelf, monkeypatch):
    monkeypatch.setenv("MUR_TRACKING", "spreadsheet")
    answer = mur("models", "list", *REPLAY)
    assert answer.status == 2
    assert answer.line.startswith("MUR_TRACKING=spreadsheet: ")
