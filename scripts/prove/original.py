"""The published recipe on a year of hours of each pair: its error against that of repeating the last close.

The first 90 % of the candles train (the last 20 % of their windows validate), the last 10 % test.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import torch

from make_us_rich.evaluation.metrics import mae, rmse
from make_us_rich.market.candle import CandleArrays, as_candles
from make_us_rich.market.snapshot import Origin, Snapshot, take_snapshot
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.original import n_training_windows
from make_us_rich.models.original_fit import OriginalOptions, fit_original
from make_us_rich.models.price_table import build_price_table
from make_us_rich.training.price.experiment import preset_experiment

HOURLY = Timeframe("1h")
TRAINING_SHARE = 0.9


def main() -> int:
    """Train once a pair, print the table, and return 0 only if the last close repeated is better on each."""
    arguments = _parse_arguments()
    torch.set_num_threads(1)
    records = []
    for pair in arguments.pairs:
        symbol = Symbol(pair, "USDT")
        preset = preset_experiment("lstm-original", str(symbol))
        options = OriginalOptions(**preset.original.model_dump())
        options = replace(options, epochs=arguments.epochs or options.epochs)
        snapshot = read_hours(arguments.candles, symbol, arguments.since, arguments.until)
        records.append({"pair": pair} | measure(snapshot, options, preset.seed))
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(records, indent=1))
    print("\n".join(table_lines(records)))
    least = min(records, key=lambda record: record["ratio"])
    print(
        f"{'kept  ' if least['ratio'] > 1 else 'BROKEN'}  at least {least['ratio']:.1f} times the error of "
        f"repeating the last close ({least['pair']})"
    )
    return 0 if least["ratio"] > 1 else 1


def read_hours(folder: Path, symbol: Symbol, since: datetime, until: datetime) -> Snapshot:
    candles = as_candles(pl.read_parquet(folder / symbol.path_name / "1h.parquet"))
    candles = candles.filter((pl.col("open_time") >= since) & (pl.col("open_time") < until))
    end = candles["open_time"].item(-1) + HOURLY.duration
    return take_snapshot(candles, symbol, HOURLY, origin=Origin("replay", "BINANCE"), now=end)


def measure(snapshot: Snapshot, options: OriginalOptions, seed: int) -> dict[str, object]:
    """Train on the first candles and forecast each of the last ones from all before it."""
    arrays = CandleArrays.from_frame(snapshot.candles)
    table = build_price_table(arrays.open_time_ms, arrays.ohlcv, HOURLY, horizons=(1,))
    n_known = int(len(table) * TRAINING_SHARE)
    progress = Progress(n_known, options)
    began = time.monotonic()
    model = fit_original(table, table.usable_rows(0, n_known, options.window), options, seed, progress)
    seconds = time.monotonic() - began
    rows = np.arange(n_known - 1, len(table) - 1)
    last, actual = table.ohlcv[rows, 3], table.ohlcv[rows + 1, 3]
    with torch.no_grad():
        moves = [
            model.location(*table.candle_windows(part, options.window)) for part in np.array_split(rows, 10)
        ]
    forecasts = {"lstm-original": last * np.exp(torch.cat(moves).numpy()[:, 0]), "persistence": last}
    errors = {
        name: {"mae": mae(said, actual), "rmse": rmse(said, actual), "bias": float(np.mean(said - actual))}
        for name, said in forecasts.items()
    }
    return {
        "snapshot": snapshot.content_hash,
        "candles": len(table),
        "tested": len(rows),
        "options": asdict(options),
        "seed": seed,
        "epochs": progress.epochs,
        "seconds": seconds,
        "mean_close": float(actual.mean()),
        "outside": share_outside(actual, table.ohlcv[: rows_fitted_on(n_known, options), 3]),
        "errors": errors,
        "ratio": errors["lstm-original"]["mae"] / errors["persistence"]["mae"],
    }


def rows_fitted_on(n_known: int, options: OriginalOptions) -> int:
    """How many of the first candles the scaler and the weights have seen; the rest validate."""
    return n_training_windows(n_known, options.window, options.validation_share) + options.window


def share_outside(closes: np.ndarray, seen: np.ndarray) -> float:
    """Share of closes outside the range of those that were seen."""
    return float(np.mean((closes < seen.min()) | (closes > seen.max())))


class Progress:
    """Counts epochs and says each on stderr."""

    def __init__(self, n_known: int, options: OriginalOptions) -> None:
        windows = n_training_windows(n_known, options.window, options.validation_share)
        self._n_batches = -(-windows // options.batch_size)
        self._began = time.monotonic()
        self.epochs = 0

    def __call__(self, done: int, _: int) -> None:
        if done % self._n_batches == 0:
            self.epochs = done // self._n_batches
            print(f"epoch {self.epochs}: {time.monotonic() - self._began:.0f} s", file=sys.stderr, flush=True)


def table_lines(records: list[dict[str, object]]) -> list[str]:
    lines = [
        "| pair | n | snapshot | epochs | seconds | MAE | last close repeated | times | bias | outside |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for record in records:
        ours, naive = record["errors"]["lstm-original"], record["errors"]["persistence"]
        lines.append(
            f"| {record['pair']} | {record['tested']:,} | {record['snapshot'][:8]} | {record['epochs']} "
            f"| {record['seconds']:.0f} | {ours['mae']:,.4g} | {naive['mae']:,.4g} | {record['ratio']:.1f} "
            f"| {ours['bias']:+,.4g} | {record['outside']:.0%} |"
        )
    return lines


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("MUR_CANDLES", "../shared/data/candles")) / "BINANCE"
    parser.add_argument("--candles", type=Path, default=default, help="folder of the recorded candles")
    parser.add_argument("--pairs", nargs="+", default=["BTC"], help="base symbols, against USDT")
    parser.add_argument("--since", type=_day, default=_day("2025-04-30"), help="first day, UTC")
    parser.add_argument("--until", type=_day, default=_day("2026-04-30"), help="day after the last, UTC")
    parser.add_argument("--epochs", type=int, help="at most; default: the published 100")
    parser.add_argument("--output", type=Path, default=Path("build/original.json"), help="where figures go")
    return parser.parse_args()


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
