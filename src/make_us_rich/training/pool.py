"""Trainings side by side, in processes of their own.

They share the snapshots, which nobody changes, and nothing else: what a worker made travels back as a record,
and whether it serves is decided where all of it is known.
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from make_us_rich.errors import MakeUsRichError
from make_us_rich.market.snapshot import load_snapshot
from make_us_rich.registry.manifest import Manifest
from make_us_rich.training.fits import AnyFitted, CandleSpan, Experiment, Fitted, Occasion, OnProgress
from make_us_rich.training.parallel import Failure, Work
from make_us_rich.training.trainers import resolve_trainer


@dataclass(frozen=True, slots=True, eq=False)
class TrainingTask:
    """One experiment as a worker gets it: where things lie, not the things themselves.

    `trainer` is where its trainer is; for the others see `Occasion`.
    """

    trainer: str
    experiment: Experiment
    snapshots: Path
    snapshot_hash: str
    now: datetime
    pool_end: datetime | None = None
    rivals: Mapping[str, Manifest] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names it makes models of."""
        return resolve_trainer(self.trainer).names(self.experiment)


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What became of a task: what was fitted, and one line for every name without."""

    symbol: str
    fitted: tuple[AnyFitted, ...]
    failures: Mapping[str, str]
    is_lost: bool = False


def fit_task(task: TrainingTask) -> TrainingOutcome:
    """Fit what a task asks for; this is what a worker runs."""
    names = task.names  # which loads the trainer, and torch where it needs that
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)  # one thread per process: more collapse when the processor is shared
    occasion = occasion_of(task)
    fitted: list[AnyFitted] = []
    failures: dict[str, str] = {}
    for name in names:
        try:
            fitted.append(fit_name(task, name, occasion))
        except MakeUsRichError as error:
            failures[name] = one_line(error)
    return TrainingOutcome(task.experiment.symbol, tuple(fitted), failures)


def occasion_of(task: TrainingTask) -> Occasion:
    """Return when and on what the models of a task are made."""
    snapshot = load_snapshot(task.snapshots, task.snapshot_hash)
    return Occasion(snapshot, task.now, task.pool_end, task.rivals)


def fit_name(
    task: TrainingTask, name: str, occasion: Occasion, on_progress: OnProgress | None = None
) -> AnyFitted:
    """Fit one name of a task."""
    began = time.monotonic()
    fit = resolve_trainer(task.trainer).fit(task.experiment, name, occasion, on_progress)
    span = CandleSpan.of(occasion.snapshot)
    return Fitted(name, task.experiment, span, task.now, fit, time.monotonic() - began)


def one_line(error: Exception) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split())


def _failed(task: TrainingTask, failure: Failure) -> TrainingOutcome:
    failures = dict.fromkeys(task.names, failure.reason)
    return TrainingOutcome(task.experiment.symbol, (), failures, failure.is_lost)


FITTING = Work(fit_task, _failed)
"""What is done with a training task in a worker."""
