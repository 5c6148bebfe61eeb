import multiprocessing
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from make_us_rich.errors import ExperimentError
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.candle import as_candles
from make_us_rich.market.snapshot import Origin, save_snapshot, take_snapshot
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.mlflow import MlflowMirror
from make_us_rich.training.parallel import process_executors, run_tasks, run_until_done
from make_us_rich.training.pool import FITTING, TrainingOutcome, TrainingTask
from make_us_rich.training.price.experiment import preset_experiment
from make_us_rich.training.round import Destination, train_round
from trainings import PRICE

PAIRS = ("ADA", "BTC", "ETH", "SOL")
SINCE, UNTIL = datetime(2025, 9, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)


def task_of(home: Path, base: str, snapshot_hash: str = "0" * 64) -> TrainingTask:
    return TrainingTask(
        trainer=PRICE,
        experiment=preset_experiment("volatility", f"{base}/USDT"),
        snapshots=home / "snapshots",
        snapshot_hash=snapshot_hash,
        now=UNTIL,
    )


@pytest.fixture
def prepare(candles_folder: Path, tmp_path: Path):
    """Return a function that stores eight months of real hours of a pair and returns its task."""

    def prepare(base: str) -> TrainingTask:
        symbol, hourly = Symbol(base, "USDT"), Timeframe("1h")
        candles = as_candles(
            pl.read_parquet(candles_folder / "BINANCE" / symbol.path_name / "1h.parquet")
        ).filter(pl.col("open_time").is_between(SINCE, UNTIL, closed="left"))
        snapshot = take_snapshot(candles, symbol, hourly, origin=Origin("replay", "BINANCE"), now=UNTIL)
        save_snapshot(snapshot, tmp_path / "home" / "snapshots")
        return task_of(tmp_path / "home", base, snapshot.content_hash)

    return prepare


@pytest.mark.slow
def test_parallel_trainings_share_no_path_leave_no_work_files_and_are_held_once_each(
    prepare, tmp_path: Path, monkeypatch
) -> None:
    work, temporary, home = tmp_path / "work", tmp_path / "temporary", tmp_path / "home"
    for folder in (work, temporary):
        folder.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("TMPDIR", str(temporary))
    tasks = [*(prepare(base) for base in PAIRS), task_of(home, "XRP")]
    shelf, mirror, said = open_shelf(home / "shelf", "replay"), MlflowMirror(home / "mlflow"), []
    done = []
    result = train_round(tasks, process_executors(2), Destination(shelf, mirror, said.append, done.append))

    names = [f"price.{base}-USDT.1h" for base in PAIRS]
    assert sorted(model.name for model in result.models) == names
    assert list(result.failures) == ["price.XRP-USDT.1h"]
    assert "snapshots" in result.failures["price.XRP-USDT.1h"], "it says why, and stopped no other"
    assert done == [1, 2, 3, 4, 5]
    assert len(said) == 5, "one line for each"

    assert {name: shelf.versions(name) for name in shelf.names()} == {name: [1] for name in names}
    assert {shelf.load(name, 1).manifest.symbol for name in names} == {f"{base}/USDT" for base in PAIRS}
    assert sorted(path.name for path in home.iterdir()) == ["mlflow", "shelf", "snapshots"]
    assert [path.name for folder in (work, temporary) for path in folder.iterdir()] == []
    assert [path for path in (home / "shelf").rglob(".*") if path.name != ".lock"] == []

    assert mirror.differences(shelf) == []
    assert mirror.versions() == {name: ["1"] for name in names}


@pytest.mark.slow
def test_what_is_lost_with_a_killed_worker_is_trained_once_more(prepare, tmp_path: Path) -> None:
    before = set(multiprocessing.active_children())
    killed = []

    def kill_the_worker(outcome) -> None:
        if not killed:
            for process in set(multiprocessing.active_children()) - before:
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)

    unprepared = task_of(tmp_path / "home", "XRP")
    tasks = [unprepared, prepare("BTC")]
    failed, lost = run_until_done(FITTING, tasks, process_executors(1), kill_the_worker)
    assert killed
    assert failed.failures
    assert lost.fitted, lost.failures
    assert not lost.is_lost


def test_any_executor_will_do_and_the_order_is_that_of_the_tasks(tmp_path: Path) -> None:
    is_second_done = threading.Event()

    def train(task: TrainingTask) -> TrainingOutcome:
        if task.experiment.symbol == "ADA/USDT":
            assert is_second_done.wait(10)
        return TrainingOutcome(task.experiment.symbol, (), {})

    seen = []

    def on_outcome(outcome) -> None:
        seen.append(outcome.symbol)
        is_second_done.set()

    tasks = [task_of(tmp_path, base) for base in ("ADA", "BTC")]
    with ThreadPoolExecutor(2) as executor:
        outcomes = run_tasks(replace(FITTING, run=train), tasks, executor, on_outcome)
    assert [outcome.symbol for outcome in outcomes] == ["ADA/USDT", "BTC/USDT"]
    assert seen == ["BTC/USDT", "ADA/USDT"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ExperimentError("seed: too\nlarge; choose a smaller one"), "seed: too large; choose a smaller one"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero; this was not expected"),
    ],
)
def test_a_failing_training_is_one_line_and_stops_no_other(tmp_path, error, says) -> None:
    def train(task: TrainingTask) -> TrainingOutcome:
        if task.experiment.symbol == "ADA/USDT":
            raise error
        return TrainingOutcome(task.experiment.symbol, (), {})

    with ThreadPoolExecutor(1) as executor:
        failed, done = run_tasks(
            replace(FITTING, run=train), [task_of(tmp_path, base) for base in ("ADA", "BTC")], executor, id
        )
    assert failed.failures == {"price.ADA-USDT.1h": says}
    assert not done.failures


def test_leaving_by_an_error_ends_what_runs(tmp_path: Path) -> None:
    before = set(multiprocessing.active_children())

    def interrupt(_) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_until_done(
            FITTING, [task_of(tmp_path, "ADA"), task_of(tmp_path, "BTC")], process_executors(1), interrupt
        )
    assert set(multiprocessing.active_children()) <= before
