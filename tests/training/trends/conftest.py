from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from make_us_rich.evaluation.trends.folds import plan_folds
from make_us_rich.market.snapshot import Origin, Snapshot, save_snapshot, take_snapshot
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.sources.walk import EPOCH
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.training.parallel import run_tasks
from make_us_rich.training.trends.experiment import TrendExperiment, preset_trend
from make_us_rich.training.trends.pool import TREND_TRAINING, TrendOutcome, TrendTask

DAILY = Timeframe("1d")
QUICK = ("Ridge", "LightGBM")


class HereAndNow(Executor):
    """Runs each task at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def train_here(
    tasks: Sequence[TrendTask], on_outcome: Callable[[TrendOutcome], object] = lambda outcome: None
) -> list[TrendOutcome]:
    """Train coins in this process."""
    return run_tasks(TREND_TRAINING, tasks, HereAndNow(), on_outcome)


@pytest.fixture(scope="session")
def daily_snapshot() -> Callable[..., Snapshot]:
    """Return a function that gives the simulated days of a coin."""
    source = SimulatedSource(seed=3)

    def take(base: str = "SOL", days: int = 1250) -> Snapshot:
        symbol, end = Symbol(base, "USDT"), EPOCH + timedelta(days=days)
        (candles,) = source.fetch(symbol, DAILY, EPOCH, end)
        return take_snapshot(candles, symbol, DAILY, origin=Origin("simulated", "simulated"), now=end)

    return take


@pytest.fixture(scope="session")
def make_task(
    daily_snapshot: Callable[..., Snapshot], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., TrendTask]:
    folder: Path = tmp_path_factory.mktemp("snapshots")

    def make(base: str = "SOL", days: int = 1250, **changes: Any) -> TrendTask:
        snapshot = daily_snapshot(base, days)
        save_snapshot(snapshot, folder)
        experiment: TrendExperiment = preset_trend(f"{base}/USDT", **{"candidates": list(QUICK)} | changes)
        end_ms = round(snapshot.data_end.timestamp() * 1000)
        plan = plan_folds(end_ms, 10, DAILY.milliseconds, **experiment.folds.model_dump())
        return TrendTask(experiment, "simulated", folder, snapshot.content_hash, plan)

    return make
