"""Two ideas for better trend candidates, on folds before 2023: calibration, and the yardstick as input."""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from trends import DAILY, DIRECTIONS, pooled_tests, read_days

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.evaluation.trends.evidence import OuterForecasts
from make_us_rich.evaluation.trends.folds import plan_folds
from make_us_rich.evaluation.trends.table import TrendTable, build_trend_table
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.symbol import Symbol
from make_us_rich.models.trend_baselines import momentum, random_walk_probability
from make_us_rich.training.trend.experiment import CANDIDATES, preset_trend

END_MS = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp() * 1000)  # what follows belongs to the outer folds
AS_BUILT = "as built"
INTERCEPT_RIDGES = {"hardly drawn": 0.25, "weakly": 1.0, AS_BUILT: 4.0, "strongly": 16.0}
YARDSTICKS = "as built, with the yardsticks"
VARIANTS = (*INTERCEPT_RIDGES, YARDSTICKS)


@dataclass(frozen=True, slots=True)
class Task:
    """One coin, label and variant, as a worker gets it."""

    file: Path
    label: str
    variant: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a variant said about one coin."""

    label: str
    direction: str
    variant: str
    outer: OuterForecasts


def main() -> int:
    """Run every variant and print its skill against the random walk over all coins."""
    arguments = _parse_arguments()
    tasks = [
        Task(file, label, variant, tuple(arguments.candidates))
        for label in arguments.labels
        for file in sorted(arguments.candles.glob("*/1d.parquet"))
        for variant in VARIANTS
    ]
    found: list[Tried] = []
    with ProcessPoolExecutor(arguments.workers, multiprocessing.get_context("spawn")) as pool:
        for done, tried in enumerate(pool.map(try_variant, tasks), start=1):
            found += tried
            print(f"{done} of {len(tasks)}", file=sys.stderr, flush=True)
    for label in arguments.labels:
        for direction in DIRECTIONS:
            asked = [one for one in found if (one.label, one.direction) == (label, direction)]
            print("\n".join(lines(asked, arguments.candidates)))
    return 0


def try_variant(task: Task) -> list[Tried]:
    """Walk one coin forward in both directions; a coin without enough history by 2023 gives nothing."""
    import torch

    from make_us_rich.models.classifiers import calibration
    from make_us_rich.training.trend.trial import run_trend_trial

    torch.set_num_threads(1)
    calibration.INTERCEPT_RIDGE = INTERCEPT_RIDGES.get(task.variant, INTERCEPT_RIDGES[AS_BUILT])
    symbol = Symbol.parse(task.file.parent.name)
    experiment = preset_trend(
        str(symbol), label={"kind": task.label}, candidates=list(task.candidates), directions=list(DIRECTIONS)
    )
    label = experiment.label
    days = read_days(task.file)
    before = days.open_time_ms < END_MS
    table = build_trend_table(
        symbol, DAILY, CandleArrays(days.open_time_ms[before], days.ohlcv[before]), label
    )
    plan = plan_folds(END_MS, label.horizon, DAILY.milliseconds, **experiment.folds.model_dump())
    tried = []
    for direction in experiment.directions:
        seen = with_yardsticks(table, direction) if task.variant == YARDSTICKS else table
        try:
            outer = run_trend_trial(experiment, seen, direction, plan).outer
        except NotEnoughHistoryError:
            return []
        tried.append(Tried(task.label, direction, task.variant, outer))
    return tried


def with_yardsticks(table: TrendTable, direction: str) -> TrendTable:
    """Add what the random walk and momentum read: its log-odds, and the close over its average."""
    walk = random_walk_probability(table.candles.ohlcv, table.label, direction)
    columns = [table.features, np.log(walk / (1 - walk)), momentum(table.candles.ohlcv)]
    features: NDArray[np.float32] = np.column_stack(columns).astype(np.float32)
    return replace(table, features=features)


def lines(asked: Sequence[Tried], candidates: Sequence[str]) -> list[str]:
    """One line per candidate: Brier skill in % against the random walk, by variant."""
    outers = {variant: [one.outer for one in asked if one.variant == variant] for variant in VARIANTS}
    days = sum(len(outer.outcome) for outer in outers[AS_BUILT])
    return [
        f"\n**{asked[0].label}, {asked[0].direction}** ({len(outers[AS_BUILT])} coins, {days:,} days)\n",
        f"| | {' | '.join(VARIANTS)} |",
        f"|---|{'---|' * len(VARIANTS)}",
        *(f"| {name} | {' | '.join(cells(outers, name))} |" for name in candidates),
    ]


def cells(outers: Mapping[str, Sequence[OuterForecasts]], name: str) -> list[str]:
    tests = [pooled_tests(outers[variant], name)["random_walk"] for variant in VARIANTS]
    return [f"{100 * test.skill:+.1f}" for test in tests]


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("MUR_CANDLES", "../shared/data/candles")) / "BINANCE"
    some = ("RandomForest", "XGBoost", "Ridge", "MLP")
    parser.add_argument("--candles", type=Path, default=default, help="folder of the recorded candles")
    parser.add_argument("--labels", nargs="+", default=("sma-change", "touch"), help="which questions")
    parser.add_argument("--candidates", nargs="+", choices=CANDIDATES, default=some, help="who tries")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each (default 2)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
