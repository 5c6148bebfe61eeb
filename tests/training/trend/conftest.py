from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from make_us_rich.market.snapshot import Origin, Snapshot, save_snapshot, take_snapshot
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.sources.walk import EPOCH
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.training.parallel import run_tasks
from make_us_rich.training.pool import FITTING, TrainingOutcome, TrainingTask
from make_us_rich.training.trend.experiment import TrendExperiment, preset_trend
from trainings import TREND, HereAndNow

DAILY = Timeframe("1d")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = ("Ridge", "LightGBM")


def train_here(
    tasks: Sequence[TrainingTask], on_outcome: Callable[[TrainingOutcome], object] = lambda outcome: None
) -> list[TrainingOutcome]:
    """Train coins in this process."""
    return run_tasks(FITTING, tasks, HereAndNow(), on_outcome)


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
) -> Callable[..., TrainingTask]:
    folder: Path = tmp_path_factory.mktemp("snapshots")

    def make(base: str = "SOL", days: int = 1250, **changes: Any) -> TrainingTask:
        snapshot = daily_snapshot(base, days)
        save_snapshot(snapshot, folder)
        experiment: TrendExperiment = preset_trend(f"{base}/USDT", **{"candidates": list(QUICK)} | changes)
        return TrainingTask(TREND, experiment, folder, snapshot.content_hash, NOW)

    return make
