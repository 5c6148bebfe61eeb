"""The real MLflow client on SQLite and a folder; one store for all, because making one takes seconds."""

import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.models.trend_onnx import TrendClassifier
from make_us_rich.registry.candidate_run import read_candidate_runs
from make_us_rich.registry.mlflow import CHAMPION_ALIAS, MlflowMirror
from make_us_rich.registry.run_record import read_run
from make_us_rich.registry.shelf import Decision
from make_us_rich.testing.artifacts import toy_draft
from trend_shelf import CANDIDATES, exported, trend_draft

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
    return open_shelf(place / "shelf", "replay")


def evidence(horizon):
    return HorizonEvidence(
        horizon=horizon,
        folds=4,
        blocks=12,
        n=2016,
        skill={"persistence": 0.04, "volatility": math.nan},
        skill_sd=0.01,
        p_value={"persistence": 0.001, "volatility": math.nan},
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


def shelve_trend(shelf, symbol, *candidates):
    draft = trend_draft(symbol, candidates=candidates or CANDIDATES)
    version = shelf.shelve(draft)
    return draft.manifest.name, version


def record_trend(shelf, mirror, name, version, *candidates):
    runs = read_candidate_runs(shelf, name, version, exported(*candidates))
    mirror.record(read_run(shelf, name, version), runs)


def runs_of(client, name):
    experiment = client.get_experiment_by_name(name)
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def test_every_candidate_of_a_trend_is_a_run_nested_in_that_of_its_training(shelf, mirror, client):
    name, version = shelve_trend(shelf, "ETH/USDT")
    record_trend(shelf, mirror, name, version)
    runs = runs_of(client, name)
    assert set(runs) == {"version 1", "Ridge", "MLP"}
    nested = runs["MLP"]
    assert nested.data.tags["mlflow.parentRunId"] == runs["version 1"].info.run_id
    assert nested.info.status == "FINISHED"
    assert nested.data.params == {"alpha": "100.0", "class_weight": "balanced"}
    assert nested.data.metrics["brier"] == 0.16
    assert nested.data.metrics["skill_random_walk"] == -0.02
    assert nested.data.metrics["overall_score"] == 0.67
    assert nested.data.metrics["onnx_difference"] == 3e-7
    assert "skill_high_random_walk" not in nested.data.metrics
    assert (nested.data.tags["model"], nested.data.tags["pair"]) == ("MLP", "ETH/USDT")
    told = runs["version 1"].data.tags
    assert told["symbol"] == "ETH", "as the original's tag"
    assert set(json.loads(told["feature_importance"])) == set(INDICATOR_NAMES)
    assert runs["version 1"].data.tags["model"] == "Ridge"


def test_mlflow_reads_signature_and_model_of_a_candidate_back(shelf, mirror, client):
    pytest.importorskip("pandas")  # MLflow reads signatures with it; they are written without
    name, version = shelve_trend(shelf, "LTC/USDT")
    record_trend(shelf, mirror, name, version)
    run = runs_of(client, name)["Ridge"]
    files = {one.path for one in client.list_artifacts(run.info.run_id, "model")}
    assert files == {"model/MLmodel", "model/model.onnx"}
    folder = client.download_artifacts(run.info.run_id, "model")
    import mlflow.models

    info = mlflow.models.get_model_info(folder)
    assert info.run_id == run.info.run_id
    assert set(info.flavors) == {"onnx", "python_function"}
    (taken,), (given,) = info.signature.inputs.inputs, info.signature.outputs.inputs
    assert (taken.name, taken.type, taken.shape) == ("features", np.dtype("float32"), (-1, 19))
    assert (given.name, given.type, given.shape) == ("probability", np.dtype("float64"), (-1,))
    classifier = TrendClassifier(Path(folder) / info.flavors["onnx"]["data"])
    assert classifier.probability(np.zeros((2, 19))).tolist() == [0.5, 0.5]


def test_candidates_told_twice_are_held_once_and_those_of_a_killed_writer_replaced(
    shelf, mirror, client, monkeypatch
):
    name, version = shelve_trend(shelf, "XRP/USDT")
    with monkeypatch.context() as killed:
        killed.setattr("make_us_rich.registry.mlflow.save_mlflow_model", _fail)
        with pytest.raises(RuntimeError):
            record_trend(shelf, mirror, name, version)
    halves = {run.info.run_id for run in runs_of(client, name).values()}
    assert len(halves) == 2
    for _ in range(2):
        record_trend(shelf, mirror, name, version)
    held = client.search_runs([client.get_experiment_by_name(name).experiment_id])
    assert sorted(run.info.run_name for run in held) == ["MLP", "Ridge", "version 1"]
    assert not halves & {run.info.run_id for run in held}


def test_every_version_has_candidates_of_its_own(shelf, mirror, client):
    for _ in range(2):
        name, version = shelve_trend(shelf, "TRX/USDT")
        record_trend(shelf, mirror, name, version)
    experiment = client.get_experiment_by_name(name)
    nested = client.search_runs([experiment.experiment_id], "tags.shelf_version = '2'")
    assert sorted(run.info.run_name for run in nested) == ["MLP", "Ridge", "version 2"]


def test_candidates_nothing_is_known_of_show_only_how_far_their_export_is(shelf):
    name, version = shelve(shelf, "XLM/USDT")
    runs = read_candidate_runs(shelf, name, version, exported())
    assert [dict(run.metrics) for run in runs] == [{"onnx_difference": 3e-7}] * len(CANDIDATES)


def _fail(*_, **__):
    raise RuntimeError("killed")
