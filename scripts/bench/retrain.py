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

from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.snapshot import Origin, take_snapshot
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.fits import Occasion
from make_us_rich.training.parallel import process_executors
from make_us_rich.training.pool import TrainingTask
from make_us_rich.training.price.experiment import PriceExperiment, preset_experiment
from make_us_rich.training.round import Destination, prepare_task, train_round
from make_us_rich.training.trainers import find_by_preset

PAIRS = 20
CORES = 2
LARGEST_MINUTES = 10.0
HOURLY = Timeframe("1h")
PRICE = find_by_preset("price")
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
    train_all(home, champions, arguments.workers)
    change = {"lstm": {"warm_start": arguments.start}} if arguments.start != "none" else {}
    tasks = [
        task(home, preset_experiment(arguments.preset, symbol, **change), frame, END)
        for symbol, frame in series
    ]
    began, before = time.monotonic(), core_seconds()
    train_all(home, tasks, arguments.workers)
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


def task(home: Path, experiment: PriceExperiment, candles: pl.DataFrame, end: datetime) -> TrainingTask:
    known = candles.filter((pl.col("open_time") >= end - LENGTH) & (pl.col("open_time") < end))
    symbol, origin = Symbol.parse(experiment.symbol), Origin("simulated", "simulated")
    snapshot = take_snapshot(known, symbol, HOURLY, origin=origin, now=end)
    return prepare_task(PRICE, experiment, Occasion(snapshot, end), home / "snapshots", shelf_of(home))


def train_all(home: Path, tasks: list[TrainingTask], workers: int) -> None:
    to = Destination(shelf_of(home), None, say, lambda _: None)
    failures = train_round(tasks, process_executors(workers), to).failures
    if failures:
        raise SystemExit("\n".join(f"{name}: {reason}" for name, reason in failures.items()))


def shelf_of(home: Path) -> Shelf:
    return open_shelf(home / "shelf", "simulated")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def core_seconds() -> float:
    """Processor time of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
