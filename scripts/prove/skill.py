"""Skill of every price candidate on ten pairs: last 30 % of the candles, four refits, against persistence."""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from make_us_rich.features.market_volatility import market_variance
from make_us_rich.market.activity import ACTIVITY_COLUMNS
from make_us_rich.market.candle import as_candles, as_full_candles
from make_us_rich.market.snapshot import Origin, take_snapshot, with_market_variance
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

if TYPE_CHECKING:
    from make_us_rich.training.price.trial import Trial

PAIRS = ("ADA", "AVAX", "BNB", "BTC", "DOGE", "DOT", "ETH", "LINK", "SOL", "XRP")
FORECASTERS = ("ewma_persistence", "volatility", "lstm", "blend")
HOURLY = Timeframe("1h")


def main() -> int:
    """Run the pairs, print the table, and return 0 only if every promise of the table is kept."""
    arguments = _parse_arguments()
    output = arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with ProcessPoolExecutor(arguments.workers, multiprocessing.get_context("spawn")) as pool:
        inputs = tuple(arguments.inputs)
        jobs = {base: pool.submit(measure_pair, arguments.candles, base, inputs) for base in arguments.pairs}
        records = {}
        for base, job in jobs.items():
            records[base] = job.result()
            print(f"{base}/USDT done after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    output.write_text(json.dumps(records, indent=1))
    print("\n".join(table_lines(records)))
    verdicts = judge(records)
    print("\n".join(f"{'kept  ' if kept else 'BROKEN'}  {text}" for kept, text in verdicts))
    return 0 if all(kept for kept, _ in verdicts) else 1


def measure_pair(folder: Path, base: str, inputs: tuple[str, ...] = ()) -> dict[str, list[dict[str, object]]]:
    """Return the evidence of every forecaster for one pair; nothing is written."""
    from make_us_rich.evaluation.evidence import gather_evidence

    trial = run_pair(folder, base, inputs)
    return {name: [asdict(e) for e in gather_evidence(trial.walk.backtest, name)] for name in FORECASTERS}


def run_pair(folder: Path, base: str, inputs: tuple[str, ...] = ()) -> "Trial":
    """Run the blend of one pair through its folds, with optional inputs or without."""
    from make_us_rich.training.price.experiment import preset_experiment
    from make_us_rich.training.price.trial import run_trial

    symbol = Symbol(base, "USDT")
    experiment = preset_experiment("blend", str(symbol), inputs=list(inputs))
    candles = recorded_candles(folder, symbol)
    end = candles["open_time"].item(-1) + HOURLY.duration
    # without inputs the trades stay out, so that the snapshot is the one of the published table
    known = candles if inputs else as_candles(candles)
    snapshot = take_snapshot(known, symbol, HOURLY, origin=Origin("replay", "BINANCE"), now=end)
    if experiment.market:
        market = [recorded_candles(folder, Symbol.parse(name)) for name in experiment.market]
        snapshot = with_market_variance(snapshot, market_variance(snapshot.candles["open_time"], market))
    return run_trial(experiment, snapshot)


def recorded_candles(folder: Path, symbol: Symbol) -> pl.DataFrame:
    """Return the recorded hours of a pair from 2022 on, with what was traded in them."""
    candles = as_full_candles(pl.read_parquet(folder / symbol.path_name / "1h.parquet"))
    return candles.filter(pl.col("open_time").dt.year() >= 2022)


def table_lines(records: dict[str, dict[str, list[dict[str, object]]]]) -> Iterable[str]:
    """Yield the skill table, one row a pair and horizon, as Markdown."""
    horizons = [e["horizon"] for e in next(iter(records.values()))["volatility"]]
    yield "Skill in % against persistence refreshed daily ± spread over folds; p against `volatility`."
    for j, horizon in enumerate(horizons):
        yield ""
        yield f"| {horizon} h | n | weeks | ewma | volatility | lstm | blend | p lstm | p blend | coverage |"
        yield "|---|---|---|---|---|---|---|---|---|---|"
        for base, record in records.items():
            yield _row(base, {name: record[name][j] for name in FORECASTERS})
        means = {
            name: np.mean([r[name][j]["skill"]["persistence"] for r in records.values()])
            for name in FORECASTERS
        }
        yield "| mean | | | " + " | ".join(f"{100 * means[name]:.2f}" for name in FORECASTERS) + " | | | |"


def _row(base: str, evidence: dict[str, dict[str, object]]) -> str:
    def skill(name: str) -> str:
        e = evidence[name]
        return f"{100 * e['skill']['persistence']:.2f} ± {100 * e['skill_sd']:.2f}"

    blend, lstm = evidence["blend"], evidence["lstm"]
    p_values = f"{lstm['p_value']['volatility']:.4f} | {blend['p_value']['volatility']:.4f}"
    coverage = f"{100 * blend['coverage_90']:.1f} ± {100 * blend['coverage_se']:.1f}"
    skills = " | ".join(skill(name) for name in FORECASTERS)
    return f"| {base} | {blend['n']} | {blend['blocks']} | {skills} | {p_values} | {coverage} |"


def judge(records: dict[str, dict[str, list[dict[str, object]]]]) -> list[tuple[bool, str]]:
    """Hold the table of the default candidate against what is promised of it."""

    def column(name: str, horizon: int, *keys: str) -> np.ndarray:
        values = []
        for record in records.values():
            value: object = next(e for e in record[name] if e["horizon"] == horizon)
            for key in keys:
                value = value[key]
            values.append(value)
        return np.asarray(values, dtype=float)

    one = column("blend", 1, "skill", "persistence")
    gain = one - column("volatility", 1, "skill", "persistence")
    proven = int((column("blend", 1, "p_value", "volatility") < 0.05).sum())
    four = column("blend", 4, "skill", "persistence")
    coverage = column("blend", 1, "coverage_90")
    return [
        (one.mean() >= 0.044, f"1 h: {one.mean():.2%} on average, 4.4 % promised"),
        (one.min() >= 0.029, f"1 h: {one.min():.2%} on the worst pair, 2.9 % promised"),
        (gain.mean() >= 0.003, f"1 h: {gain.mean():.2%} better than volatility, 0.3 % promised"),
        (
            proven >= 0.8 * len(one),
            f"1 h: p < 0.05 against volatility on {proven} of {len(one)}, 8 of 10 promised",
        ),
        (four.mean() >= 0.032, f"4 h: {four.mean():.2%} on average, 3.2 % promised"),
        (
            bool(((coverage >= 0.885) & (coverage <= 0.915)).all()),
            f"1 h: the 90 % interval held {coverage.min():.1%} to {coverage.max():.1%}, 88.5-91.5 % promised",
        ),
    ]


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("MUR_CANDLES", "../shared/data/candles")) / "BINANCE"
    parser.add_argument("--candles", type=Path, default=default, help="folder of the recorded candles")
    parser.add_argument("--pairs", nargs="+", default=PAIRS, help="bases priced in USDT")
    parser.add_argument(
        "--inputs", nargs="+", default=(), choices=tuple(ACTIVITY_COLUMNS), help="optional inputs to add"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=Path("build/skill.json"), help="where the figures go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
