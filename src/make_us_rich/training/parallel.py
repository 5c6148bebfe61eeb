"""Many tasks at once, each in a process: a failing one stops no other, a lost one is tried again."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from make_us_rich.errors import MakeUsRichError
from make_us_rich.training.worker import become_worker


class MayBeLost(Protocol):
    """An outcome that says whether its process was ended from outside."""

    @property
    def is_lost(self) -> bool:
        """Whether the task deserves another try."""


Task = TypeVar("Task")
Out = TypeVar("Out", bound=MayBeLost)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task came to nothing, in one line, and whether its process was ended from outside."""

    reason: str
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Work(Generic[Task, Out]):
    """What is done with a task in a worker, and the outcome of one that came to nothing."""

    run: Callable[[Task], Out]
    fail: Callable[[Task, Failure], Out]


def run_tasks(
    work: Work[Task, Out], tasks: Sequence[Task], executor: Executor, on_outcome: Callable[[Out], object]
) -> list[Out]:
    """Run all tasks on an executor, whichever kind; return the outcomes in the order of the tasks.

    A task that fails is an outcome like any other. `on_outcome` is called here, as each one ends.
    """
    futures = {executor.submit(work.run, task): i for i, task in enumerate(tasks)}
    outcomes: dict[int, Out] = {}
    for future in as_completed(futures):
        i = futures[future]
        outcomes[i] = _outcome(work, tasks[i], future)
        on_outcome(outcomes[i])
    return [outcomes[i] for i in range(len(tasks))]


Executors = Callable[[int], AbstractContextManager[Executor]]
"""Opens an executor for a number of tasks; leaving the context ends it."""


def process_executors(workers: int) -> Executors:
    """Return executors of up to `workers` processes of this machine."""
    return lambda n_tasks: _worker_processes(min(workers, n_tasks))


def run_until_done(
    work: Work[Task, Out], tasks: Sequence[Task], executors: Executors, on_outcome: Callable[[Out], object]
) -> list[Out]:
    """Run all tasks, and those once more that were lost with their process.

    A worker that is killed, for want of memory say, takes the others with it. What was lost with it is then
    tried once more, one at a time, so that only the guilty one stays without a result.
    """

    def report(outcome: Out) -> None:
        if not outcome.is_lost:
            on_outcome(outcome)

    with executors(len(tasks)) as executor:
        outcomes = run_tasks(work, tasks, executor, report)
    for i, outcome in enumerate(outcomes):
        if outcome.is_lost:
            with executors(1) as executor:
                (outcomes[i],) = run_tasks(work, [tasks[i]], executor, on_outcome)
    return outcomes


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _worker_processes(workers: int) -> Iterator[Executor]:
    # when the block is left by an error, what runs in the processes ends too
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


def _outcome(work: Work[Task, Out], task: Task, future: "Future[Out]") -> Out:
    try:
        return future.result()
    except MakeUsRichError as error:
        failure = Failure(" ".join(str(error).split()))
    except BrokenExecutor:
        reason = "its process was ended from outside, perhaps for want of memory; train it alone"
        failure = Failure(reason, is_lost=True)
    except Exception as error:  # what nobody expected in one task must not stop the others
        text = " ".join(str(error).split())
        failure = Failure(f"{type(error).__name__}: {text}; this was not expected")
    return work.fail(task, failure)
