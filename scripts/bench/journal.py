"""What the journal costs: the track record and a page over a million forecasts, on both databases.

The rows are made up and put in by the thousand; the answers are those of the real routes, asked one at a time
over loopback. PostgreSQL is the wheel of the tests and is left out where that is not installed.
"""

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import structlog

from accounts import databases
from make_us_rich.database.engine import Database, open_database
from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts, outcomes
from make_us_rich.database.schema import create_if_absent
from make_us_rich.forecasting.forecast import SERVED
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.price.kind import PriceKind
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.weekly import PRICE_CELLS, WeekKey, WeekSums, add_to_weeks, week_of
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.store import CandleStore
from make_us_rich.models.quantiles import HORIZONS
from make_us_rich.serving.access import Access
from make_us_rich.serving.server import ApiServer
from serving import api_of

ROWS = 1_000_000
NAMES = 40
BOUND_MS = 200.0
ROUNDS = 20
BATCH = 20_000
START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FORECASTERS = (SERVED, *PriceKind.yardsticks)
PATHS = {
    "track record, all of it": "/v1/track-record",
    "track record, one pair": "/v1/track-record?symbol=C00-USDT",
    "first page of 100": "/v1/predictions",
    "page of one pair in the past": "/v1/predictions?symbol=C07-USDT&until=2024-01-20",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, url in databases(Path(folder)):
            found[name] = bench(url, Path(folder) / name, arguments)
    print(json.dumps(found, indent=2) if arguments.json else in_words(found))
    records = [one[path] for one in found.values() for path in one if path.startswith("track record")]
    return 0 if all(record["median_ms"] <= BOUND_MS for record in records) else 1


def in_words(found: dict[str, dict[str, Any]]) -> str:
    lines = []
    for name, one in found.items():
        lines.append(f"{name}: {one['rows']:,} forecasts, put in within {one['seconds']:.0f} s")
        lines += [
            f"  {path:<30} median {one[path]['median_ms']:6.1f} ms, worst {one[path]['worst_ms']:6.1f} ms"
            f"{f' (at most {BOUND_MS:.0f})' if path.startswith('track record') else ''}"
            for path in PATHS
        ]
    return "\n".join(lines)


def bench(url: str, home: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    database = open_database(url)
    create_if_absent(database)
    began = time.perf_counter()
    rows = fill(Journal(database, "replay"), arguments.rows)
    seconds = time.perf_counter() - began
    view = MarketView(
        "replay",
        CandleStore(home / "candles"),
        open_shelf(home / "shelf", "replay"),
        ReplayClock(START, START, None),
    )
    with running(view, database) as address:
        times = {name: ask(address, path, arguments.rounds) for name, path in PATHS.items()}
    database.close()
    return {"rows": rows, "seconds": seconds, **times}


def fill(journal: Journal, rows: int) -> int:
    """Put in scored forecasts of many names, and their weekly sums, and return how many."""
    hours = rows // (NAMES * len(HORIZONS) * len(FORECASTERS))
    chance = np.random.default_rng(0)
    said, came, row_id = [], [], 0
    for number in range(NAMES):
        name = f"price.C{number:02d}-USDT.1h"
        losses = chance.gamma(2.0, 0.001, (hours, len(HORIZONS), len(FORECASTERS)))
        for hour in range(hours):
            for position, horizon in enumerate(HORIZONS):
                for column, forecaster in enumerate(FORECASTERS):
                    row_id += 1
                    said.append(forecast_row(row_id, name, START + hour * HOUR, horizon, forecaster))
                    came.append(outcome_row(row_id, float(losses[hour, position, column])))
            if len(said) >= BATCH:
                put(journal, said, came)
        add_weeks(journal, name, losses)
    put(journal, said, came)
    if not journal.database.is_sqlite:
        with journal.database.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
    return row_id


def forecast_row(row_id: int, name: str, cutoff: datetime, horizon: int, forecaster: str) -> dict[str, Any]:
    return {
        "id": row_id,
        "market": "replay",
        "history": 1,
        "counted": True,
        "name": name,
        "cutoff": cutoff,
        "horizon": horizon,
        "forecaster": forecaster,
        "target_time": cutoff + horizon * HOUR,
        "model": "lstm" if forecaster == "served" else forecaster,
        "version": 1 if forecaster == "served" else None,
        "question": None,
        "last_close": 100.0,
        **{column: 100.0 + position / 3 for position, column in enumerate(QUANTILE_COLUMNS)},
        "input_hash": "0" * 64,
        "recorded_at": cutoff,
    }


def outcome_row(row_id: int, loss: float) -> dict[str, Any]:
    return {
        "forecast_id": row_id,
        "actual": 101.0,
        "error": 1.0,
        "loss": loss,
        "below": 7,
        "interval": 50,
        "scored_at": START,
    }


def put(journal: Journal, said: list[dict[str, Any]], came: list[dict[str, Any]]) -> None:
    if said:
        with journal.database.write_connection() as connection:
            connection.execute(forecasts.insert(), said)
            connection.execute(outcomes.insert(), came)
    said.clear()
    came.clear()


def add_weeks(journal: Journal, name: str, losses: np.ndarray) -> None:
    cells = np.full(PRICE_CELLS, 1.0)
    added: dict[WeekKey, WeekSums] = {}
    for hour in range(len(losses)):
        cutoff = START + hour * HOUR
        for position, horizon in enumerate(HORIZONS):
            own, baseline, volatility = losses[hour, position].tolist()
            key = WeekKey(name, horizon, week_of(cutoff), "lstm", 1)
            one = WeekSums(1, cutoff, cutoff, own, baseline, 1, volatility, own, 1, cells)
            added[key] = added[key].plus(one) if key in added else one
    with journal.database.write() as session:
        add_to_weeks(session, journal, added)


def ask(address: str, path: str, rounds: int) -> dict[str, float]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
        taken.append((time.perf_counter() - began) * 1e3)
        if answer.status != 200 or len(content) < 1000:
            raise RuntimeError(f"{path}: {answer.status} {content[:200]!r}")
    connection.close()
    return {"median_ms": statistics.median(taken[1:]), "worst_ms": max(taken[1:])}  # the first one warms up


@contextmanager
def running(view: MarketView, database: Database) -> Iterator[str]:
    ready, addresses = threading.Event(), []

    def on_ready(address: str) -> None:
        addresses.append(address)
        ready.set()

    access = Access(database, b"k" * 32, public_read=True, rate_limit_per_minute=1_000_000)
    server = ApiServer(api_of(view, access), "127.0.0.1", 0, on_ready)
    thread = threading.Thread(target=server.run)
    thread.start()
    ready.wait(30)
    try:
        yield addresses[0]
    finally:
        server.stop()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
