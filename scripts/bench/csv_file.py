"""What reading a CSV file of a million minutes costs: with every check, against a bare `polars.read_csv`.

The file is written in the layout of CryptoDataDownload, newest first. Both sides are measured in alternating
rounds of one run, because the speed of a shared machine drifts; the median of the ratios counts.
(A script named csv.py would hide Python's own module.)
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from make_us_rich.market.sources.csv_file import read_csv_candles

ROWS = 1_000_000
ROUNDS = 5
LARGEST_RATIO = 30.0
START = datetime(2022, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Binance_BTCUSDT_minute.csv"
        write_minutes(path)
        ours, bare = [], []
        for _ in range(ROUNDS):
            bare.append(seconds(lambda: pl.read_csv(path, skip_rows=1)))
            ours.append(seconds(lambda: read_csv_candles(path, NOW)))
    record = {
        "rows": ROWS,
        "checked_seconds": statistics.median(ours),
        "bare_seconds": statistics.median(bare),
        "ratio": statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True)),
    }
    print(json.dumps(record) if arguments.json else as_text(record))
    return 0 if record["ratio"] <= LARGEST_RATIO else 1


def as_text(record: dict[str, float]) -> str:
    return (
        f"every check, {record['rows']:,} rows  {record['checked_seconds']:6.2f} s\n"
        f"bare read_csv               {record['bare_seconds']:6.2f} s\n"
        f"ratio                       {record['ratio']:6.1f} (at most {LARGEST_RATIO:.0f})"
    )


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def write_minutes(path: Path) -> None:
    generator = np.random.default_rng(7)
    close = 40_000 * np.exp(np.cumsum(generator.normal(0, 2e-4, ROWS)))
    volume = generator.lognormal(3, 1, ROWS)
    times = pl.datetime_range(START, START + timedelta(minutes=ROWS - 1), "1m", time_unit="ms", eager=True)
    rows = pl.DataFrame(
        {
            "unix": times.dt.epoch("ms"),
            "date": times.dt.strftime("%Y-%m-%d %H:%M:%S"),
            "symbol": "BTC/USDT",
            "open": close,
            "high": close * 1.001,
            "low": close * 0.999,
            "close": close,
            "Volume BTC": volume,
            "Volume USDT": volume * close,
            "tradecount": generator.integers(1, 5000, ROWS),
        }
    )
    with path.open("w") as file:
        file.write("https://www.CryptoDataDownload.com\n")
    with path.open("ab") as binary:
        rows.reverse().write_csv(binary, float_precision=8)


if __name__ == "__main__":
    sys.exit(main())
