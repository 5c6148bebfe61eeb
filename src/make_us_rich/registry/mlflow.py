"""A mirror of the shelf in MLflow, for people to look at; what is served is decided by the shelf alone.

An SQLite file and a folder under the home of the market, no server. One process writes at a time, under a
lock, because a fresh store that several open at once breaks in its migrations.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from filelock import FileLock

from make_us_rich.market.files import disk_errors_named
from make_us_rich.registry.candidate_run import CandidateRun
from make_us_rich.registry.mlflow_model import save_mlflow_model
from make_us_rich.registry.run_record import RunRecord
from make_us_rich.registry.shelf import Shelf

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

CHAMPION_ALIAS = "champion"
VERSION_TAG = "shelf_version"
DATABASE_FILE = "mlflow.db"

_LOCK_TIMEOUT_SECONDS = 60.0
_NESTED_TAGS = (VERSION_TAG, "symbol", "pair", "timeframe", "market", "source")
_LONGEST_PARAMETER, _LONGEST_TAG = 500, 5000


class MlflowMirror:
    """An MLflow store: an experiment per model name, a run and a registered version per training.

    A training of many candidates has a nested run for each.
    """

    name = "MLflow"
    extra = "mlflow"

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def uri(self) -> str:
        """The address to open it with: `mlflow ui --backend-store-uri URI`."""
        return f"sqlite:///{self.folder / DATABASE_FILE}"

    def exists(self) -> bool:
        """Say whether anything was ever mirrored."""
        return (self.folder / DATABASE_FILE).is_file()

    def record(self, run: RunRecord, candidates: Sequence[CandidateRun] = ()) -> None:
        """Store a training, once: a second call with the same version changes nothing.

        Candidates are runs nested in that of the training, each with its model.
        """
        with self._opened() as client:
            self._ensure_version(client, run, candidates)

    def point(self, name: str, champion: RunRecord | None) -> None:
        """Move the alias `champion` to what is served, recorded now if it was not; without one, remove it."""
        with self._opened() as client:
            if champion is not None:
                version = self._ensure_version(client, champion)
                client.set_registered_model_alias(name, CHAMPION_ALIAS, version.version)
            elif _aliased(client, name) is not None:
                client.delete_registered_model_alias(name, CHAMPION_ALIAS)

    def differences(self, shelf: Shelf) -> list[str]:
        """Return in words where the aliases say something else than the shelf, which is what counts."""
        with self._opened() as client:
            return [text for name in shelf.names() if (text := _difference(client, shelf, name))]

    def versions(self) -> dict[str, list[str]]:
        """Return which shelved versions are registered, by model name."""
        held: dict[str, list[str]] = {}
        with self._opened() as client:
            for found in client.search_model_versions(order_by=["version_number ASC"]):
                held.setdefault(found.name, []).append(found.tags.get(VERSION_TAG, "unknown"))
        return held

    def _ensure_version(
        self, client: "MlflowClient", run: RunRecord, candidates: Sequence[CandidateRun] = ()
    ) -> "ModelVersion":
        known = _registered(client, run.name, run.version)
        if known is not None:
            return known
        run_id = self._store_run(client, run, candidates)
        if not client.search_registered_models(f"name = '{run.name}'"):
            client.create_registered_model(run.name)
        return client.create_model_version(
            run.name, source=run.folder.as_uri(), run_id=run_id, tags=_short(run.tags, _LONGEST_TAG)
        )

    def _store_run(self, client: "MlflowClient", run: RunRecord, candidates: Sequence[CandidateRun]) -> str:
        at_ms = round(run.trained_at.timestamp() * 1000)
        experiment = self._ensure_experiment(client, run.name)
        # runs without a registered version are those of a killed writer: they are not whole
        for half in client.search_runs([experiment], f"tags.{VERSION_TAG} = '{run.version}'"):
            client.delete_run(half.info.run_id)
        whole = _Entry(experiment, f"version {run.version}", run.parameters, run.metrics, run.tags)
        parent = _start(client, whole, at_ms)
        for document in run.documents:
            client.log_artifact(parent.info.run_id, str(document))
        for candidate in candidates:
            nested = _start(client, _nested(candidate, run, parent), at_ms)
            save_mlflow_model(_artifact_folder(nested), run, candidate.onnx, run_id=nested.info.run_id)
            client.set_terminated(nested.info.run_id, end_time=at_ms)
        client.set_terminated(parent.info.run_id, end_time=at_ms)
        return str(parent.info.run_id)

    def _ensure_experiment(self, client: "MlflowClient", name: str) -> str:
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        location = (self.folder / "artifacts" / name).as_uri()
        return str(client.create_experiment(name, artifact_location=location))

    @contextmanager
    def _opened(self) -> "Iterator[MlflowClient]":
        # before its first import: MLflow reports its use to its makers otherwise
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.tracking import MlflowClient

        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # it logs how it makes a store
        with disk_errors_named(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=_LOCK_TIMEOUT_SECONDS):
                yield MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)


@dataclass(frozen=True, slots=True)
class _Entry:
    experiment: str
    name: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


def _nested(candidate: CandidateRun, run: RunRecord, parent: "Run") -> _Entry:
    shared = {key: run.tags[key] for key in _NESTED_TAGS if key in run.tags}
    own = {"model": candidate.name, "mlflow.parentRunId": parent.info.run_id}
    return _Entry(
        parent.info.experiment_id, candidate.name, candidate.parameters, candidate.metrics, shared | own
    )


def _start(client: "MlflowClient", entry: _Entry, at_ms: int) -> "Run":
    from mlflow.entities import Metric, Param

    started = client.create_run(
        entry.experiment, start_time=at_ms, tags=_short(entry.tags, _LONGEST_TAG), run_name=entry.name
    )
    client.log_batch(
        started.info.run_id,
        metrics=[Metric(key, value, at_ms, 0) for key, value in entry.metrics.items()],
        params=[Param(key, value) for key, value in _short(entry.parameters, _LONGEST_PARAMETER).items()],
    )
    return started


def _artifact_folder(run: "Run") -> Path:
    # the store is a folder of ours, and asking it for a place costs as much as a whole run
    return Path(url2pathname(urlsplit(run.info.artifact_uri).path))


def _registered(client: "MlflowClient", name: str, version: int) -> "ModelVersion | None":
    for found in client.search_model_versions(f"name = '{name}'"):
        if found.tags.get(VERSION_TAG) == str(version):
            return found
    return None


def _aliased(client: "MlflowClient", name: str) -> "ModelVersion | None":
    for model in client.search_registered_models(f"name = '{name}'"):
        if CHAMPION_ALIAS in model.aliases:
            return client.get_model_version(name, model.aliases[CHAMPION_ALIAS])
    return None


def _difference(client: "MlflowClient", shelf: Shelf, name: str) -> str | None:
    champion, alias = shelf.champion(name), _aliased(client, name)
    served = None if champion is None else str(champion.version)
    shown = None if alias is None else alias.tags.get(VERSION_TAG, "an unknown one")
    if served == shown:
        return None
    return f"{name}: the alias {CHAMPION_ALIAS} shows version {shown or 'none'}, served is {served or 'none'}"


def _short(values: Mapping[str, str], longest: int) -> dict[str, str]:
    return {key: value[:longest] for key, value in values.items()}
