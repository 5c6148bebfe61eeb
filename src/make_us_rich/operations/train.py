"""Trainings from request to result: candles, fits side by side, decisions. Heavy: it loads torch."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from make_us_rich.errors import MakeUsRichError
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.operations.experiments import (
    Asked,
    Origin,
    read_experiments,
    take_experiment_snapshot,
    training_moment,
)
from make_us_rich.operations.progress import PlainLines, Progress, Step, unwatched
from make_us_rich.operations.requests import TrainRequest, TrainResult
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Settings
from make_us_rich.training.fits import Experiment, Occasion
from make_us_rich.training.parallel import Executors, available_cores, process_executors
from make_us_rich.training.pool import TrainingTask, one_line
from make_us_rich.training.round import Destination, prepare_task, train_here, train_round
from make_us_rich.training.tracking import open_tracker
from make_us_rich.training.trained import FailedTraining, Pooled, TrainedModel
from make_us_rich.training.trainers import resolve_trainer


@dataclass(frozen=True, slots=True)
class _Prepared:
    experiment: Experiment
    place: Workplace
    snapshot: Snapshot


def train_models(request: TrainRequest) -> TrainResult:
    """Train what a request asks for with the settings and the clock of this process.

    This is what a process of its own is started for; see `operations.process`.
    """
    settings = Settings() if request.home is None else Settings(home=request.home)
    return train(request, settings, datetime.now(UTC), PlainLines())


def train(
    request: TrainRequest,
    settings: Settings,
    now: datetime,
    progress: Progress = unwatched,
    executors: Executors | None = None,
) -> TrainResult:
    """Train what a request asks for.

    One experiment that is judged alone is trained in this process, and what stands in its way is raised.
    Several are trained side by side, and a failure is one of the results.
    """
    began = time.monotonic()
    asked = read_experiments(request, settings)
    origin = Origin(settings, request.market, now)
    if len(asked.experiments) == 1 and not resolve_trainer(asked.trainer).is_pooled:
        models = _train_one(asked, origin, progress)
        return TrainResult(tuple(models), (), time.monotonic() - began)
    if executors is None:
        executors = process_executors(request.workers or available_cores())
    return train_several(asked, origin, progress, executors)


def _train_one(asked: Asked, origin: Origin, progress: Progress) -> list[TrainedModel]:
    (experiment,) = asked.experiments
    place, snapshot = take_experiment_snapshot(asked, experiment, origin, progress)
    prepared = _Prepared(experiment, place, snapshot)
    task = _task(asked, prepared, origin, None)
    title = f"Training {', '.join(task.names)}"
    to = _destination(place, progress, title, 1)
    return train_here(task, to, lambda line, share: progress(Step(title, share, 1.0, line)))


def train_several(asked: Asked, origin: Origin, progress: Progress, executors: Executors) -> TrainResult:
    """Train experiments of one trainer side by side; a failure is one of the results."""
    began, trainer = time.monotonic(), resolve_trainer(asked.trainer)
    prepared, failed = _prepare(asked, origin, progress)
    if not prepared:
        return _result([], failed, {} if trainer.is_pooled else None, began)
    end = max(one.snapshot.data_end for one in prepared) if trainer.is_pooled else None
    tasks = [_task(asked, one, origin, end) for one in prepared]
    title = f"Training {len(asked.experiments)} models"
    if trainer.is_pooled:
        title = f"Training {len(tasks)} coins"
    progress(Step(title, 0, len(tasks)))
    to = _destination(prepared[0].place, progress, title, len(tasks))
    done = train_round(tasks, executors, to)
    return _result(done.models, {**failed, **done.failures}, done.pooled, began)


def _prepare(asked: Asked, origin: Origin, progress: Progress) -> tuple[list[_Prepared], dict[str, str]]:
    trainer = resolve_trainer(asked.trainer)
    prepared: list[_Prepared] = []
    failed: dict[str, str] = {}
    for experiment in asked.experiments:
        names = trainer.names(experiment)
        try:
            place, snapshot = take_experiment_snapshot(asked, experiment, origin, progress)
            prepared.append(_Prepared(experiment, place, snapshot))
        except MakeUsRichError as error:
            about = experiment.symbol if trainer.is_pooled else ", ".join(names)
            progress(f"{about}: failed ({one_line(error)})")
            failed |= dict.fromkeys(names, one_line(error))
    return prepared, failed


def _task(asked: Asked, prepared: _Prepared, origin: Origin, end: datetime | None) -> TrainingTask:
    place = prepared.place
    now = training_moment(place, prepared.experiment.until, origin.now)
    occasion = Occasion(prepared.snapshot, now, end)
    return prepare_task(asked.trainer, prepared.experiment, occasion, place.snapshots, place.shelf())


def _destination(place: Workplace, progress: Progress, title: str, total: int) -> Destination:
    return Destination(
        shelf=place.shelf(),
        tracker=open_tracker(place.settings.tracking, place.home),
        say=progress,
        on_done=lambda done: progress(Step(title, done, total)),
    )


def _result(
    models: Sequence[TrainedModel], failed: Mapping[str, str], pooled: Pooled | None, began: float
) -> TrainResult:
    return TrainResult(
        models=tuple(sorted(models, key=lambda model: model.name)),
        failed=tuple(FailedTraining(name, reason) for name, reason in sorted(failed.items())),
        seconds=time.monotonic() - began,
        pooled=None if pooled is None else {group: dict(tests) for group, tests in pooled.items()},
    )
