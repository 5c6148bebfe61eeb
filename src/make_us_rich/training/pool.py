"""Many trainings at once, in processes of their own.

They share the snapshots, which nobody changes, and the shelf, which is made to be shared, and nothing else.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from make_us_rich.market.snapshot import load_snapshot
from make_us_rich.registry.shelf import Shelf
from make_us_rich.settings import Market
from make_us_rich.training.experiment import Experiment
from make_us_rich.training.parallel import Failure, Work
from make_us_rich.training.train import TrainingResult, train_price_model


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """One training as a worker gets it: where things lie, not the things themselves."""

    experiment: Experiment
    market: Market
    snapshots: Path
    snapshot_hash: str
    shelf_root: Path
    now: datetime


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What became of a task: a result, or one line that says why there is none."""

    name: str
    result: TrainingResult | None
    failure: str | None
    is_lost: bool = False


def train_task(task: TrainingTask) -> TrainingOutcome:
    """Train what a task asks for; this is what a worker runs."""
    import torch

    torch.set_num_threads(1)  # one thread per process: more collapse when the processor is shared
    snapshot = load_snapshot(task.snapshots, task.snapshot_hash)
    shelf = Shelf(task.shelf_root, task.market)
    return TrainingOutcome(
        task.experiment.name, train_price_model(task.experiment, snapshot, shelf, task.now), None
    )


def _failed(task: TrainingTask, failure: Failure) -> TrainingOutcome:
    return TrainingOutcome(task.experiment.name, None, failure.reason, failure.is_lost)


TRAINING = Work(train_task, _failed)
"""What `run_tasks` and `run_in_processes` do with a training task."""
