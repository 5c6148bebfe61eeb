"""The real MLflow client on SQLite and a folder; one store for all, because making one takes seconds."""

import os
from datetime import UTC, datetime

import pytest

from make_us_rich.registry.manifest import EvidenceRecord
from make_us_rich.registry.mlflow import CHAMPION_ALIAS, MlflowMirror
from make_us_rich.registry.run_record import read_run
from make_us_rich.registry.shelf import Decision, Shelf
from make_us_rich.testing.artifacts import toy_draft

NOW = datetime(2024, 3, 2, tzinfo=UTC)

pytest.importorskip("mlflow")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def mirror(place):
    return MlflowMirror(place / "mlflow")


@pytest.fixture(scope="module")
def client(mirror):
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=mirror.uri, registry_uri=mirror.uri)


@pytest.fixture
def shelf(place):
    return Shelf(place / "shelf", "replay")


def evidence(horizon):
    return EvidenceRecord(
        horizon=horizon,
        folds=4,
        blocks=12,
        n=2016,
        skill={"persistence": 0.04, "volatility": None},
        skill_sd=0.01,
        p_value={"persistence": 0.001, "volatility": None},
        coverage_90=0.91,
        coverage_se=0.01,
        served_by="toy",
    )


def shelve(shelf, symbol, **changes):
    draft = toy_draft(symbol=symbol, changes=changes)
    name = draft.manifest.name
    version = shelf.shelve(draft)
    decision = Decision(at=NOW, version=version, kind="first", promoted=True, reasons=("promoted: first",))
    shelf.record_decision(name, decision)
    return name, version


def test_a_training_is_one_run_with_parameters_metrics_and_documents(shelf, mirror, client):
    name, version = shelve(
        shelf,
        "ADA/USDT",
        evidence={"toy": (evidence(1), evidence(24))},
        experiment={"model": "toy", "lstm": {"window": 48}, "until": None},
    )
    mirror.record(read_run(shelf, name, version))
    experiment = client.get_experiment_by_name(name)
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "version 1"
    assert run.info.status == "FINISHED"
    assert run.data.metrics["skill_persistence_h1"] == 0.04
    assert run.data.metrics["coverage_90_h24"] == 0.91
    assert "skill_volatility_h1" not in run.data.metrics
    assert (run.data.params["lstm.window"], run.data.params["served_by_h1"]) == ("48", "toy")
    assert "until" not in run.data.params
    assert run.data.tags["reason"] == "promoted: first"
    assert run.data.tags["market"] == "replay"
    assert [one.path for one in client.list_artifacts(run.info.run_id)] == ["manifest.json"]
    assert experiment.artifact_location.startswith(mirror.folder.as_uri())


def test_a_training_told_twice_is_held_once(shelf, mirror, client):
    name, version = shelve(shelf, "BNB/USDT")
    for _ in range(2):
        mirror.record(read_run(shelf, name, version))
    assert len(client.search_runs([client.get_experiment_by_name(name).experiment_id])) == 1
    (registered,) = client.search_model_versions(f"name = '{name}'")
    assert registered.tags["shelf_version"] == "1"
    assert registered.source == shelf.folder(name, version).as_uri()


def test_a_run_whose_writer_was_killed_is_replaced(shelf, mirror, client):
    name, version = shelve(shelf, "DOT/USDT")
    half = client.create_run(
        client.create_experiment(name, (mirror.folder / "x").as_uri()), tags={"shelf_version": str(version)}
    )
    mirror.record(read_run(shelf, name, version))
    (run,) = client.search_runs([client.get_experiment_by_name(name).experiment_id])
    assert run.info.run_id != half.info.run_id


def test_the_alias_follows_the_shelf_and_a_moved_alias_is_reported_and_changes_nothing(shelf, mirror, client):
    name, first = shelve(shelf, "ETH/USDT")
    _, second = shelve(shelf, "ETH/USDT")
    for version in (first, second):
        mirror.record(read_run(shelf, name, version))
    shelf.promote(name, first, "better", NOW)
    assert f"{name}: the alias champion shows version none, served is 1" in mirror.differences(shelf)
    mirror.point(name, read_run(shelf, name, first))
    assert not [text for text in mirror.differences(shelf) if name in text]

    other = next(
        v for v in client.search_model_versions(f"name = '{name}'") if v.tags["shelf_version"] == "2"
    )
    client.set_registered_model_alias(name, CHAMPION_ALIAS, other.version)
    assert shelf.champion(name).version == first
    assert f"{name}: the alias champion shows version 2, served is 1" in mirror.differences(shelf)

    mirror.point(name, None)
    assert CHAMPION_ALIAS not in client.get_registered_model(name).aliases


def test_a_champion_from_before_the_mirror_is_recorded_when_it_is_pointed_to(shelf, mirror, client):
    name, version = shelve(shelf, "SOL/USDT")
    mirror.point(name, read_run(shelf, name, version))
    alias = client.get_model_version_by_alias(name, CHAMPION_ALIAS)
    assert alias.tags["shelf_version"] == str(version)


def test_a_mirror_that_was_never_written_does_not_exist(tmp_path):
    assert not MlflowMirror(tmp_path / "mlflow").exists()
    assert not (tmp_path / "mlflow").exists()
