"""A replayed month of several pairs stands in the journal exactly once, all of it scored, as recomputed here.

The pairs are replayed by the desk itself, with a toy model that needs no training, on the real recordings in
MUR_CANDLES (default: ../shared/data/candles). The record is then computed again from the recordings alone.
"""

import argparse
import math
import os
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import structlog
from sqlalchemy import select

from make_us_rich.database.engine import Database
from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts, outcomes
from make_us_rich.database.schema import create_if_absent
from make_us_rich.desk.desk import Desk
from make_us_rich.desk.intake import Feed
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.forecasting.forecast import SERVED
from make_us_rich.forecasting.price.artifact import VOLATILITY_FILE
from make_us_rich.forecasting.price.forecast import PERSISTENCE, VOLATILITY
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.track_record import RecordQuery, read_track_record
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.sources import ReplaySource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import HORIZONS, QUANTILE_LEVELS
from make_us_rich.operations.workplace import Workplace
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.settings import Settings
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft

REPOSITORY = Path(__file__).parents[2]
HOUR = timedelta(hours=1)
HOURS = 720
START = datetime(2024, 3, 1, tzinfo=UTC)
PAIRS = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "LTC/USDT", "LINK/USDT")

Verdict = tuple[bool, str]


def main() -> int:
    """Play, count and recompute, and return 0 only if every promise is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=HOURS)
    parser.add_argument("--pairs", nargs="+", default=list(PAIRS))
    arguments = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(30),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    recorded = (REPOSITORY / os.environ.get("MUR_CANDLES", "../shared/data/candles")).resolve() / "BINANCE"
    symbols = tuple(Symbol.parse(pair) for pair in arguments.pairs)
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Settings(home=Path(folder)), "replay")
        database = place.database()
        create_if_absent(database)
        began = time.monotonic()
        last = play(place, database, ReplaySource(recorded), symbols, arguments.hours)
        print(f"{len(symbols)} pairs, {arguments.hours} hours, {time.monotonic() - began:.0f} s")
        closes = {symbol: closes_of(recorded, symbol) for symbol in symbols}
        verdicts = list(judge(Journal(database, "replay"), closes, arguments.hours, last))
        database.close()
    print("\n".join(f"{'kept  ' if kept else 'BROKEN'}  {text}" for kept, text in verdicts))
    return 0 if all(kept for kept, _ in verdicts) else 1


def play(
    place: Workplace, database: Database, source: ReplaySource, symbols: tuple[Symbol, ...], hours: int
) -> datetime:
    for symbol in symbols:
        draft = toy_draft("replay", str(symbol))
        files = {**draft.payloads, VOLATILITY_FILE: ToyPriceModel(spread=0.012).to_onnx()}
        version = place.shelf().shelve(ArtifactDraft(draft.manifest, files))
        place.shelf().promote(draft.manifest.name, version, "a toy for a proof", START)
    clock = ReplayClock(START, START + (hours - 1) * HOUR, None)
    feed = Feed(source, place.store(), symbols, Timeframe("1h"))
    desk = Desk(place, feed, clock, ProgressReport(), Journal(database, "replay"))
    desk.fetch_history()
    desk.run(threading.Event())
    desk.run(threading.Event())  # the last moment once more: nothing may come of it
    return clock.now()


def closes_of(recorded: Path, symbol: Symbol) -> dict[datetime, float]:
    candles = pl.read_parquet(recorded / symbol.path_name / "1h.parquet", columns=["open_time", "close"])
    return {row[0] + HOUR: row[1] for row in candles.iter_rows()}


def judge(
    journal: Journal, closes: dict[Symbol, dict[datetime, float]], hours: int, last: datetime
) -> Iterator[Verdict]:
    with journal.database.read() as session:
        rows = session.execute(
            select(*forecasts.c, outcomes.c.loss).join_from(forecasts, outcomes, isouter=True)
        )
        rows = [dict(row._mapping) for row in rows]
    expected = len(closes) * hours * len(HORIZONS)
    counted = Counter(row["forecaster"] for row in rows)
    for forecaster in (SERVED, PERSISTENCE, VOLATILITY):
        yield (
            counted[forecaster] == expected,
            f"{counted[forecaster]:,} rows of {forecaster}, {expected:,} due",
        )
    keys = {(row["name"], row["cutoff"], row["horizon"], row["forecaster"]) for row in rows}
    yield len(keys) == len(rows) == 3 * expected, "no forecast stands there twice"
    late = sum(row["recorded_at"] >= row["target_time"] for row in rows)
    yield late == 0, f"{late} written down at their target time or after"
    due = [row for row in rows if row["target_time"] <= last]
    unscored = sum(row["loss"] is None for row in due)
    yield unscored == 0, f"{unscored} of {len(due):,} due forecasts without an outcome"
    early = sum(row["loss"] is not None for row in rows if row["target_time"] > last)
    yield early == 0, f"{early} scored before they were due"
    yield from recompute(journal, closes, rows, last)


def recompute(
    journal: Journal, closes: dict[Symbol, dict[datetime, float]], rows: list[dict[str, Any]], last: datetime
) -> Iterator[Verdict]:
    by_name = {f"price.{symbol.path_name}.1h": known for symbol, known in closes.items()}
    losses: defaultdict[tuple[str, int], defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    held: Counter[tuple[str, int]] = Counter()
    n: Counter[tuple[str, int]] = Counter()
    worst = 0.0
    for row in rows:
        if row["target_time"] > last:
            continue
        move = math.log(by_name[row["name"]][row["target_time"]] / row["last_close"])
        said = [math.log(row[column] / row["last_close"]) for column in QUANTILE_COLUMNS]
        loss = pinball(said, move)
        worst = max(worst, abs(loss - row["loss"]))
        key = (row["name"], row["horizon"])
        losses[key][row["forecaster"]] += loss
        if row["forecaster"] == SERVED:
            n[key] += 1
            held[key] += said[1] <= move <= said[11]
    yield worst < 1e-12, f"losses differ by at most {worst:.1e} from those computed from the recordings"
    records = read_track_record(journal, RecordQuery())
    wrong = 0
    for one in records:
        key = (one.name, one.horizon)
        skill = 1 - losses[key][SERVED] / losses[key][PERSISTENCE]
        is_same = one.n == n[key] and abs((one.skill.skill or 0) - skill) < 1e-9
        wrong += not (is_same and abs((one.coverage_90 or 0) - held[key] / n[key]) < 1e-9)
    yield (
        wrong == 0 and len(records) == len(losses),
        f"{wrong} of {len(records)} records differ in n, skill, coverage",
    )


def pinball(said: list[float], move: float) -> float:
    costs = (
        level * (move - quantile) if move >= quantile else (1 - level) * (quantile - move)
        for level, quantile in zip(QUANTILE_LEVELS, said, strict=True)
    )
    return sum(costs) / len(said)


if __name__ == "__main__":
    sys.exit(main())
