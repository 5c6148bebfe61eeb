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
from make_us_rich.market.candle import as_candles
from make_us_rich.market.snapshot import Origin, save_snapshot, take_snapshot
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.mlflow import MlflowMirror
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.experiment import preset_experiment
from make_us_rich.training.parallel import run_in_processes, run_tasks
from make_us_rich.training.pool import TRAINING, TrainingOutcome, TrainingTask
from make_us_rich.training.tracking import tell_training
from make_us_rich.training.train import TrainingResult

PAIRS = ("ADA", "BTC", "ETH", "SOL")
SINCE, UNTIL = datetime(2025, 9, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)


def task_of(home: Path, base: str, snapshot_hash: str = "0" * 64) -> TrainingTask:
    return TrainingTask(
        experiment=preset_experiment("volatility", f"{base}/USDT"),
        market="replay",
        snapshots=home / "snapshots",
        snapshot_hash=snapshot_hash,
        shelf_root=home / "shelf",
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


def result_of(task: TrainingTask) -> TrainingResult:
    return TrainingResult(task.experiment.name, 1, promoted=True, reasons=(), seconds=0.0, evidence=())


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
    done = []
    outcomes = run_in_processes(TRAINING, tasks, 2, done.append)

    names = [f"price.{base}-USDT.1h" for base in PAIRS]
    assert [outcome.name for outcome in outcomes] == [*names, "price.XRP-USDT.1h"]
    assert [outcome.failure for outcome in outcomes[:4]] == [None] * 4
    assert "snapshots" in outcomes[4].failure, "the failing pair says why, and stopped no other"
    assert sorted(outcome.name for outcome in done) == sorted(outcome.name for outcome in outcomes)

    shelf, mirror = Shelf(home / "shelf", "replay"), MlflowMirror(home / "mlflow")
    for outcome in outcomes[:4]:
        tell_training(mirror, shelf, outcome.name, outcome.result.version, pytest.fail)
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
    failed, lost = run_in_processes(TRAINING, [unprepared, prepare("BTC")], 1, kill_the_worker)
    assert killed
    assert failed.failure is not None
    assert lost.result is not None, lost.failure
    assert not lost.is_lost


def test_any_executor_will_do_and_the_order_is_that_of_the_tasks(tmp_path: Path) -> None:
    is_second_done = threading.Event()

    def train(task: TrainingTask) -> TrainingOutcome:
        if task.experiment.symbol == "ADA/USDT":
            assert is_second_done.wait(10)
        return TrainingOutcome(task.experiment.name, result_of(task), None)

    seen = []

    def on_outcome(outcome) -> None:
        seen.append(outcome.name)
        is_second_done.set()

    tasks = [task_of(tmp_path, base) for base in ("ADA", "BTC")]
    with ThreadPoolExecutor(2) as executor:
        outcomes = run_tasks(replace(TRAINING, run=train), tasks, executor, on_outcome)
    assert [outcome.name for outcome in outcomes] == ["price.ADA-USDT.1h", "price.BTC-USDT.1h"]
    assert seen == ["price.BTC-USDT.1h", "price.ADA-USDT.1h"]


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
        return TrainingOutcome(task.experiment.name, result_of(task), None)

    with ThreadPoolExecutor(1) as executor:
        failed, done = run_tasks(
            replace(TRAINING, run=train), [task_of(tmp_path, base) for base in ("ADA", "BTC")], executor, id
        )
    assert (failed.result, failed.failure) == (None, says)
    assert done.result is not None


def test_leaving_by_an_error_ends_what_runs(tmp_path: Path) -> None:
    before = set(multiprocessing.active_children())

    def interrupt(_) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_processes(TRAINING, [task_of(tmp_path, "ADA"), task_of(tmp_path, "BTC")], 1, interrupt)
    assert set(multiprocessing.active_children()) <= before
