"""One round of trainings: fitted side by side, judged, shelved, decided and told, the same for every kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from make_us_rich.errors import MakeUsRichError
from make_us_rich.market.snapshot import load_snapshot, save_snapshot
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.fits import AnyFitted, AnyJudged, Experiment, Judged, Occasion, OnProgress
from make_us_rich.training.parallel import Executors, run_until_done
from make_us_rich.training.pool import (
    FITTING,
    TrainingOutcome,
    TrainingTask,
    fit_name,
    occasion_of,
    one_line,
)
from make_us_rich.training.shelving import shelve
from make_us_rich.training.succession import find_rival
from make_us_rich.training.tracking import Tracker, Trained, tell_trained
from make_us_rich.training.trained import Pooled, TrainedModel
from make_us_rich.training.trainer import AnyTrainer
from make_us_rich.training.trainers import resolve_trainer


@dataclass(frozen=True, slots=True)
class Destination:
    """Where models go and who is told: `say` gets every line about how a training goes."""

    shelf: Shelf
    tracker: Tracker | None
    say: Callable[[str], None]
    on_done: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class RoundResult:
    """The models that came of a round, the tests over all of them if there are any, and the failures."""

    models: tuple[TrainedModel, ...]
    failures: Mapping[str, str]
    pooled: Pooled | None = None


def prepare_task(
    trainer_text: str, experiment: Experiment, occasion: Occasion, snapshots: Path, shelf: Shelf
) -> TrainingTask:
    """Save the candles of an experiment and return what a worker needs to fit it."""
    trainer, snapshot = resolve_trainer(trainer_text), occasion.snapshot
    save_snapshot(snapshot, snapshots)
    found = {
        name: find_rival(trainer, experiment, name, shelf, occasion.now) for name in trainer.names(experiment)
    }
    return TrainingTask(
        trainer=trainer_text,
        experiment=experiment,
        snapshots=snapshots,
        snapshot_hash=snapshot.content_hash,
        now=occasion.now,
        pool_end=occasion.pool_end,
        rivals={name: rival for name, rival in found.items() if rival is not None},
    )


def train_here(
    task: TrainingTask, to: Destination, on_progress: OnProgress | None = None
) -> list[TrainedModel]:
    """Train one task in this process; whatever stands in the way is raised."""
    trainer, occasion = resolve_trainer(task.trainer), occasion_of(task)
    fitted = [fit_name(task, name, occasion, on_progress) for name in task.names]
    return [_shelve(trainer, task, judged, to) for judged in _judge(trainer, fitted)[0]]


def train_round(tasks: Sequence[TrainingTask], executors: Executors, to: Destination) -> RoundResult:
    """Train all tasks of one trainer side by side; what fails is one line, and stops nobody else."""
    trainer = resolve_trainer(tasks[0].trainer)
    if trainer.is_pooled:
        return _train_together(trainer, tasks, executors, to)
    return _train_apart(trainer, tasks, executors, to)


def _train_apart(
    trainer: AnyTrainer, tasks: Sequence[TrainingTask], executors: Executors, to: Destination
) -> RoundResult:
    models: list[TrainedModel] = []
    failures: dict[str, str] = {}
    by_name = {name: task for task in tasks for name in task.names}
    done = 0

    def on_outcome(outcome: TrainingOutcome) -> None:
        nonlocal done
        made, unshelved = _shelve_all(trainer, by_name, _judge(trainer, outcome.fitted)[0], to)
        models.extend(made)
        failed = {**outcome.failures, **unshelved}
        failures.update(failed)
        for line in (*map(_fate, made), *(f"{name}: failed ({why})" for name, why in failed.items())):
            to.say(line)
        done += 1
        to.on_done(done)

    run_until_done(FITTING, tasks, executors, on_outcome)
    return RoundResult(tuple(models), failures)


def _train_together(
    trainer: AnyTrainer, tasks: Sequence[TrainingTask], executors: Executors, to: Destination
) -> RoundResult:
    done = 0

    def on_outcome(outcome: TrainingOutcome) -> None:
        nonlocal done
        said = [f"{trainer.words(one)} ({one.seconds:.0f} s)" for one in outcome.fitted]
        said += [f"{name} failed ({reason})" for name, reason in outcome.failures.items()]
        to.say(f"{outcome.symbol}: {', '.join(said)}")
        done += 1
        to.on_done(done)

    outcomes = run_until_done(FITTING, tasks, executors, on_outcome)
    failures = {name: why for outcome in outcomes for name, why in outcome.failures.items()}
    judged, pooled = _judge(trainer, [one for outcome in outcomes for one in outcome.fitted])
    by_name = {name: task for task in tasks for name in task.names}
    models, unshelved = _shelve_all(trainer, by_name, judged, to)
    return RoundResult(tuple(models), failures | unshelved, pooled or {})


def _judge(trainer: AnyTrainer, fitted: Sequence[AnyFitted]) -> tuple[list[AnyJudged], Pooled | None]:
    judgement = trainer.judge(fitted)
    judged = [Judged(one, judgement.verdicts[one.name], judgement.pooled or {}) for one in fitted]
    return judged, judgement.pooled


def _shelve_all(
    trainer: AnyTrainer,
    by_name: Mapping[str, TrainingTask],
    judged: Sequence[AnyJudged],
    to: Destination,
) -> tuple[list[TrainedModel], dict[str, str]]:
    models: list[TrainedModel] = []
    failures: dict[str, str] = {}
    for one in judged:
        name = one.fitted.name
        try:
            models.append(_shelve(trainer, by_name[name], one, to))
        except MakeUsRichError as error:
            failures[name] = one_line(error)
    return models, failures


def _shelve(trainer: AnyTrainer, task: TrainingTask, judged: AnyJudged, to: Destination) -> TrainedModel:
    snapshot = load_snapshot(task.snapshots, task.snapshot_hash)
    model = shelve(trainer, judged, snapshot, to.shelf)
    # here and not in the workers: one process creates the tracker's store and writes to it
    told = Trained(model.name, model.version, trainer.candidates(judged.fitted))
    tell_trained(to.tracker, to.shelf, told, to.say)
    return model


def _fate(model: TrainedModel) -> str:
    word = "promoted" if model.promoted else "not promoted"
    return f"{model.name}: version {model.version}, {word} ({model.seconds:.0f} s)"
