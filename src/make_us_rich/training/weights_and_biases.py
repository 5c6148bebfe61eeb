"""Trainings told to Weights & Biases; offline unless `WANDB_MODE` says otherwise."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from make_us_rich.registry.candidate_run import CandidateRun
from make_us_rich.registry.run_record import RunRecord


class WandbRuns:
    """Runs under `folder`, one per training; `wandb sync` sends them on, if that is wanted."""

    name = "W&B"
    extra = "wandb"

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def record(self, run: RunRecord, candidates: Sequence[CandidateRun] = ()) -> None:
        """Write one run: the name is its project, the version its own name.

        Candidates are told in that run, as `Ridge/brier`: a run of its own for each would take seconds.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with _environment(self._places()):
            import wandb

            try:
                self._write(run, candidates)
            finally:
                wandb.teardown()  # it keeps a process of its own running otherwise

    def point(self, name: str, champion: RunRecord | None) -> None:
        """Do nothing: a run that is written stays as it is, and what is served is the shelf's affair."""

    def _write(self, run: RunRecord, candidates: Sequence[CandidateRun]) -> None:
        import wandb

        settings = wandb.Settings(
            silent=True, console="off", disable_git=True, save_code=False, x_disable_stats=True
        )
        with wandb.init(
            dir=str(self.folder),
            mode="online" if os.environ.get("WANDB_MODE") == "online" else "offline",
            project=run.name,
            name=f"version {run.version}",
            config={**run.parameters, **run.tags} | _told("parameters", candidates),
            settings=settings,
        ) as written:
            written.summary.update(dict(run.metrics) | _told("metrics", candidates))
            report = wandb.Artifact(f"{run.name}-report", "report", metadata=dict(run.tags))
            for document in run.documents:
                report.add_file(str(document))
            written.log_artifact(report)
            if candidates:
                models = wandb.Artifact(f"{run.name}-candidates", "model", metadata=dict(run.tags))
                for candidate in candidates:
                    with models.new_file(f"{candidate.name}.onnx", "wb") as file:
                        file.write(candidate.onnx)
                written.log_artifact(models)

    def _places(self) -> dict[str, str]:
        # all that wandb writes elsewhere by default: caches, staged files, its own settings and error reports
        places = {kind: str(self.folder / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        return {f"WANDB_{kind}_DIR": path for kind, path in places.items()} | {
            "WANDB_ERROR_REPORTING": "false"
        }


def _told(
    what: Literal["parameters", "metrics"], candidates: Sequence[CandidateRun]
) -> dict[str, str | float]:
    return {
        f"{candidate.name}/{key}": value
        for candidate in candidates
        for key, value in getattr(candidate, what).items()
    }


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
