"""Trainings in this process, for tests: nothing is fetched, everything lies beside the shelf."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.fits import Occasion, OnProgress
from make_us_rich.training.price.experiment import PriceExperiment
from make_us_rich.training.round import Destination, prepare_task, train_here
from make_us_rich.training.trained import TrainedModel

PRICE = "make_us_rich.training.price.trainer:PriceTrainer"
TREND = "make_us_rich.training.trend.trainer:TrendTrainer"

__all__ = ["PRICE", "TREND", "HereAndNow", "here", "open_shelf", "quiet", "train_price_model"]


class HereAndNow(Executor):
    """Runs each task at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def here(n_tasks: int) -> AbstractContextManager[Executor]:
    """Open an executor that runs each task at once."""
    return nullcontext(HereAndNow())


def quiet(shelf: Shelf, say: Callable[[str], object] = lambda line: None) -> Destination:
    """Return a destination of which nobody is told."""
    return Destination(shelf, None, say, lambda done: None)


def train_price_model(
    experiment: PriceExperiment,
    snapshot: Snapshot,
    shelf: Shelf,
    now: datetime,
    on_progress: OnProgress | None = None,
) -> TrainedModel:
    """Train one price model on a snapshot, shelve it and decide."""
    task = prepare_task(PRICE, experiment, Occasion(snapshot, now), shelf.root / ".snapshots", shelf)
    (model,) = train_here(task, quiet(shelf), on_progress)
    return model
