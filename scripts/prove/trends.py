"""Trends of every coin with daily candles, three labels, both directions: the pool against its baselines."""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from make_us_rich.errors import DataError
from make_us_rich.evaluation.evidence import skill
from make_us_rich.evaluation.trends.evidence import POOL, OuterForecasts, TrendEvidence, pooled_advantage
from make_us_rich.evaluation.trends.folds import plan_folds
from make_us_rich.evaluation.trends.table import build_trend_table
from make_us_rich.market.candle import CandleArrays, as_candles
from make_us_rich.market.quality import fill_gaps
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.trend_promotion import PooledTest, judge_trend
from make_us_rich.training.trend.experiment import CANDIDATES, preset_trend

LABELS = ("sma-change", "close-change", "touch")
DIRECTIONS = ("up", "down")
DAILY = Timeframe("1d")


@dataclass(frozen=True, slots=True)
class Task:
    """One coin and label, as a worker gets it."""

    file: Path
    label: str
    end_ms: int


@dataclass(frozen=True, slots=True)
class Tried:
    """One coin, label and direction: what was said on outer folds, and who would be shelved."""

    coin: str
    label: str
    direction: str
    winner: str
    outer: OuterForecasts
    evidence: Mapping[str, TrendEvidence]


def main() -> int:
    """Run everything, print the tables, and return 0 if nothing worse than a baseline would be served."""
    arguments = _parse_arguments()
    files = sorted(arguments.candles.glob("*/1d.parquet"))
    end_ms = max(int(read_days(file).open_time_ms[-1]) for file in files) + DAILY.milliseconds
    tasks = [Task(file, label, end_ms) for label in arguments.labels for file in files]
    began, found = time.monotonic(), []
    with ProcessPoolExecutor(arguments.workers, multiprocessing.get_context("spawn")) as pool:
        for done, tried in enumerate(pool.map(try_coin, tasks), start=1):
            found += tried
            print(
                f"{done} of {len(tasks)} after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True
            )
    lines, record, wrong = report(found, arguments.labels)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(record, indent=1))
    print("\n".join(lines))
    promoted = sum(one["promoted"] for one in record)
    print(f"\n{promoted} of {len(record)} would be promoted, {wrong} of them worse than a baseline")
    return 1 if wrong else 0


def read_days(file: Path) -> CandleArrays:
    return CandleArrays.from_frame(fill_gaps(as_candles(pl.read_parquet(file)), DAILY))


def try_coin(task: Task) -> list[Tried]:
    """Walk one coin forward in both directions; a coin without enough history gives nothing."""
    import torch

    from make_us_rich.training.trend.trial import run_trend_trial

    torch.set_num_threads(1)
    symbol = Symbol.parse(task.file.parent.name)
    experiment = preset_trend(str(symbol), label={"kind": task.label})
    label = experiment.label
    table = build_trend_table(symbol, DAILY, read_days(task.file), label)
    plan = plan_folds(task.end_ms, label.horizon, DAILY.milliseconds, **experiment.folds.model_dump())
    tried = []
    for direction in experiment.directions:
        try:
            trial = run_trend_trial(experiment, table, direction, plan)
        except DataError as error:
            print(error, file=sys.stderr)
            continue
        tried.append(
            Tried(symbol.base, task.label, direction, trial.walk.winner, trial.outer, trial.evidence)
        )
    return tried


def report(found: Sequence[Tried], labels: Iterable[str]) -> tuple[list[str], list[dict[str, Any]], int]:
    """Return the tables, the record, and how many would be served though worse than a baseline."""
    lines, record, wrong = [], [], 0
    for label in labels:
        for direction in DIRECTIONS:
            coins = [one for one in found if (one.label, one.direction) == (label, direction)]
            pooled = pooled_tests([one.outer for one in coins])
            lines += [f"\n### {label}, {direction}\n", *pooled_lines(coins), "", *coin_lines(coins)]
            for one in coins:
                verdict = judge_trend(one.evidence, POOL, one.winner, pooled)
                own = one.evidence[POOL]
                wrong += verdict.passed and min(own.skill.values()) <= 0
                record.append(
                    {"coin": one.coin, "label": label, "direction": direction, "winner": one.winner}
                    | {"promoted": verdict.passed, "served_by": verdict.served_by}
                    | {"evidence": {name: e.to_dict() for name, e in one.evidence.items()}}
                )
    return lines, record, wrong


def pooled_tests(outers: Sequence[OuterForecasts], name: str = POOL) -> dict[str, PooledTest]:
    tests = {}
    for baseline in TREND_BASELINES:
        own, theirs = (np.concatenate([outer.loss(who) for outer in outers]) for who in (name, baseline))
        advantage = pooled_advantage(list(outers), name, baseline)
        tests[baseline] = PooledTest.of(advantage, skill(own, theirs), len(outers))
    return tests


def pooled_lines(coins: Sequence[Tried]) -> list[str]:
    """One line per forecaster over all coins: skill against each baseline, with its p-value."""
    outers = [one.outer for one in coins]
    n, blocks = sum(len(outer.outcome) for outer in outers), pooled_tests(outers)["base_rate"].blocks
    base = np.concatenate([outer.outcome for outer in outers]).mean()
    about = f"All {len(coins)} coins, n = {n:,} days, {blocks} blocks of 40 days, base rate {base:.0%}"
    lines = [
        f"{about}; Brier skill in %, p in brackets:",
        "",
        "| | against base_rate | against momentum | against random_walk |",
        "|---|---|---|---|",
    ]
    for name in ("momentum", "random_walk", POOL, *CANDIDATES):
        tests = pooled_tests([outer for outer in outers if name in outer.probability], name)
        cells = [
            "" if baseline == name else f"{100 * test.skill:+.1f} ({test.p_value:.2g})"
            for baseline, test in tests.items()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def coin_lines(coins: Sequence[Tried]) -> list[str]:
    """One line per coin: the pool on its outer folds."""
    lines = [
        "| coin | n | blocks | base rate | winner | AUC | Brier | skill against random_walk [95 %] | p |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in coins:
        own = one.evidence[POOL]
        low, high = (100 * bounds["random_walk"] for bounds in (own.skill_low, own.skill_high))
        lines.append(
            f"| {one.coin} | {own.n} | {own.blocks} | {own.base_rate:.0%} | {one.winner} | {own.roc_auc:.2f} "
            f"| {own.brier:.3f} | {100 * own.skill['random_walk']:+.1f} [{low:+.0f}, {high:+.0f}] "
            f"| {own.p_value['random_walk']:.2g} |"
        )
    return lines


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("MUR_CANDLES", "../shared/data/candles")) / "BINANCE"
    parser.add_argument("--candles", type=Path, default=default, help="folder of the recorded candles")
    parser.add_argument("--labels", nargs="+", choices=LABELS, default=LABELS, help="which questions")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each (default 2)")
    parser.add_argument("--output", type=Path, default=Path("build/trends.json"), help="where figures go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
