"""Many trainings at once, in processes of their own.

They share the snapshots, which nobody changes, and the shelf, which is made to be shared, and nothing else.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from make_us_rich.errors import MakeUsRichError
from make_us_rich.market.snapshot import load_snapshot
from make_us_rich.registry.shelf import Shelf
from make_us_rich.settings import Market
from make_us_rich.training.experiment import Experiment
from make_us_rich.training.train import TrainingResult, train_price_model
from make_us_rich.training.worker import become_worker


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


OnOutcome = Callable[[TrainingOutcome], None]


class MayBeLost(Protocol):
    """An outcome that says whether its process was ended from outside."""

    @property
    def is_lost(self) -> bool:
        """Whether the task deserves another try."""


Task = TypeVar("Task")
Out = TypeVar("Out", bound=MayBeLost)


def train_task(task: TrainingTask) -> TrainingResult:
    """Train what a task asks for; this is what a worker runs."""
    import torch

    torch.set_num_threads(1)  # one thread per process: more collapse when the processor is shared
    snapshot = load_snapshot(task.snapshots, task.snapshot_hash)
    shelf = Shelf(task.shelf_root, task.market)
    return train_price_model(task.experiment, snapshot, shelf, task.now)


def train_many(
    tasks: Sequence[TrainingTask], executor: Executor, on_outcome: OnOutcome
) -> list[TrainingOutcome]:
    """Train all tasks on an executor, whichever kind; return the outcomes in the order of the tasks.

    A task that fails is an outcome like any other. `on_outcome` is called here, as each one ends.
    """
    futures = {executor.submit(train_task, task): i for i, task in enumerate(tasks)}
    outcomes: dict[int, TrainingOutcome] = {}
    for future in as_completed(futures):
        i = futures[future]
        outcomes[i] = _outcome(tasks[i], future)
        on_outcome(outcomes[i])
    return [outcomes[i] for i in range(len(tasks))]


def train_in_processes(
    tasks: Sequence[TrainingTask], workers: int, on_outcome: OnOutcome
) -> list[TrainingOutcome]:
    """Train all tasks on up to `workers` processes of this machine; see `run_in_processes`."""
    return run_in_processes(train_many, tasks, workers, on_outcome)


def run_in_processes(
    train: Callable[[Sequence[Task], Executor, Callable[[Out], None]], list[Out]],
    tasks: Sequence[Task],
    workers: int,
    on_outcome: Callable[[Out], None],
) -> list[Out]:
    """Run all tasks on up to `workers` processes; `train` runs them on an executor.

    A worker that is killed, for want of memory say, takes the others with it. What was lost with it is then
    tried once more, one at a time, so that only the guilty one stays without a result.
    """

    def report(outcome: Out) -> None:
        if not outcome.is_lost:
            on_outcome(outcome)

    with worker_processes(min(workers, len(tasks))) as executor:
        outcomes = train(tasks, executor, report)
    for i, outcome in enumerate(outcomes):
        if outcome.is_lost:
            with worker_processes(1) as executor:
                (outcomes[i],) = train([tasks[i]], executor, on_outcome)
    return outcomes


@contextmanager
def worker_processes(workers: int) -> Iterator[Executor]:
    """Return processes to train in; when the block is left by an error, what runs in them ends too."""
    before = set(multiprocessing.active_children())
    # spawned and not forked: a fork copies the locks of threads that are not there to release them
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=become_worker)
    try:
        yield executor
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _outcome(task: TrainingTask, future: "Future[TrainingResult]") -> TrainingOutcome:
    name = task.experiment.name
    try:
        return TrainingOutcome(name, future.result(), None)
    except MakeUsRichError as error:
        return TrainingOutcome(name, None, " ".join(str(error).split()))
    except BrokenExecutor:
        failure = "its process was ended from outside, perhaps for want of memory; train it alone"
        return TrainingOutcome(name, None, failure, is_lost=True)
    except Exception as error:  # what nobody expected in one training must not stop the others
        text = " ".join(str(error).split())
        return TrainingOutcome(name, None, f"{type(error).__name__}: {text}; this was not expected")
