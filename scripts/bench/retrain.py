"""What retraining twenty pairs costs: folds, final fit, export, comparison with the champion, promotion.

Counted in minutes of two cores: the processor time of all workers, halved. The wall clock says the same on a
machine with nothing else to do, and is shown beside it. The pairs are simulated, two years of hours each, as
the cost depends on how many candles there are and not on what they hold.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from make_us_rich.market.snapshot import Origin, save_snapshot, take_snapshot
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.training.experiment import Experiment, preset_experiment
from make_us_rich.training.parallel import run_in_processes
from make_us_rich.training.pool import TRAINING, TrainingOutcome, TrainingTask

PAIRS = 20
CORES = 2
LARGEST_MINUTES = 10.0
HOURLY = Timeframe("1h")
END = datetime(2026, 1, 1, tzinfo=UTC)
LENGTH = timedelta(days=730)
SINCE_CHAMPION = timedelta(days=30)
SEEDS = (0, 1)  # each holds fewer than twenty coins


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--preset", default="lstm", choices=("lstm", "blend", "volatility"))
    parser.add_argument("--start", default="folds", choices=("folds", "none"), help="where a fit begins")
    parser.add_argument("--workers", type=int, default=CORES)
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record = retrain(arguments, Path(folder))
    if arguments.json:
        print(json.dumps(record))
    else:
        print_report(record)
    return 0 if record["kept"] else 1


def retrain(arguments: argparse.Namespace, home: Path) -> dict[str, float | str | bool]:
    """Give each pair a champion of a month before, then measure its retraining."""
    series = list(simulated_series(arguments.pairs))
    champions = [
        task(home, preset_experiment("volatility", symbol), frame, END - SINCE_CHAMPION)
        for symbol, frame in series
    ]
    require_success(run_in_processes(TRAINING, champions, arguments.workers, say))
    change = {"lstm": {"warm_start": arguments.start}} if arguments.start != "none" else {}
    tasks = [
        task(home, preset_experiment(arguments.preset, symbol, **change), frame, END)
        for symbol, frame in series
    ]
    began, before = time.monotonic(), core_seconds()
    require_success(run_in_processes(TRAINING, tasks, arguments.workers, say))
    wall, core = time.monotonic() - began, core_seconds() - before
    minutes = core / CORES / 60
    return {
        "pairs": len(tasks),
        "preset": arguments.preset,
        "start": arguments.start,
        "core_seconds_per_pair": core / len(tasks),
        "minutes_of_two_cores": minutes,
        "wall_minutes": wall / 60,
        "kept": minutes <= LARGEST_MINUTES,
    }


def print_report(record: dict[str, float | str | bool]) -> None:
    words = "kept" if record["kept"] else "BROKEN"
    how = "from the fold before" if record["start"] == "folds" else "cold"
    print(f"{record['pairs']} pairs retrained, {record['preset']}, {how}")
    print(f"a pair                {record['core_seconds_per_pair']:6.1f} s of a core")
    print(f"wall clock            {record['wall_minutes']:6.1f} min")
    print(f"minutes of two cores  {record['minutes_of_two_cores']:6.1f} (at most 10)  {words}")


def simulated_series(count: int) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield names and candles; the coins of the second seed get names of their own."""
    found = [(seed, symbol) for seed in SEEDS for symbol in SimulatedSource(seed).symbols(HOURLY)]
    if len(found) < count:
        raise SystemExit(f"the simulated markets hold {len(found)} coins; ask for no more")
    for seed, symbol in found[:count]:
        pages = SimulatedSource(seed).fetch(symbol, HOURLY, END - LENGTH - SINCE_CHAMPION, END)
        yield f"{symbol.base}{seed or ''}/{symbol.quote}", pl.concat(list(pages))


def task(home: Path, experiment: Experiment, candles: pl.DataFrame, end: datetime) -> TrainingTask:
    known = candles.filter((pl.col("open_time") >= end - LENGTH) & (pl.col("open_time") < end))
    symbol, origin = Symbol.parse(experiment.symbol), Origin("simulated", "simulated")
    snapshot = take_snapshot(known, symbol, HOURLY, origin=origin, now=end)
    save_snapshot(snapshot, home / "snapshots")
    return TrainingTask(
        experiment=experiment,
        market="simulated",
        snapshots=home / "snapshots",
        snapshot_hash=snapshot.content_hash,
        shelf_root=home / "shelf",
        now=end,
    )


def require_success(outcomes: list[TrainingOutcome]) -> None:
    failures = [f"{outcome.name}: {outcome.failure}" for outcome in outcomes if outcome.result is None]
    if failures:
        raise SystemExit("\n".join(failures))


def say(outcome: TrainingOutcome) -> None:
    seconds = f"{outcome.result.seconds:.0f} s" if outcome.result else "failed"
    print(f"{outcome.name}: {seconds}", file=sys.stderr, flush=True)


def core_seconds() -> float:
    """Processor time of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
