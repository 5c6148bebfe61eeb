"""What a closed candle costs: fetched, scored, forecast and written down, beside the forecast alone.

Every pair has a champion with the lookback of a real one, and two years of simulated hours; the source hands
out candles from memory, so that nothing but the desk is measured. The forecast alone is what the kind makes
of the same candles in memory, without store, journal and board.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import structlog
from sqlalchemy import event

from make_us_rich.database.engine import Database, open_database
from make_us_rich.database.schema import create_if_absent
from make_us_rich.desk.desk import Desk
from make_us_rich.desk.intake import Feed
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.forecasting.kind import KnownCandles, ShelvedModels, Subject
from make_us_rich.forecasting.price.kind import PriceKind, price_name
from make_us_rich.journal.journal import Journal
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Settings
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft

START = datetime(2023, 7, 10, tzinfo=UTC)
HOUR = Timeframe("1h")
PAIRS = 20
HOURS = 48
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """Per closed candle of one pair; `times_forecast` is against the forecast alone."""

    pairs: int
    candles: int
    milliseconds: float
    cpu_milliseconds: float
    forecast_milliseconds: float
    times_forecast: float
    per_second: float
    parquet_reads: float
    statements: float


class MemorySource:
    """Simulated candles that were made before the clock starts."""

    name = "simulated"

    def __init__(self, symbols: tuple[Symbol, ...], until: datetime) -> None:
        source = SimulatedSource()
        since = START - timedelta(days=731)
        self._candles = {
            symbol: pl.concat(list(source.fetch(symbol, HOUR, since, until))) for symbol in symbols
        }

    def symbols(self, timeframe: Timeframe) -> list[Symbol]:  # noqa: ARG002
        """Return all pairs."""
        return list(self._candles)

    def fetch(
        self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Iterator[pl.DataFrame]:
        """Yield one page."""
        candles, step = self._candles[symbol], timeframe.duration
        first = candles["open_time"].item(0)
        begin = max(0, (since - first) // step)
        yield candles.slice(begin, max(0, (until - first) // step - begin))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--hours", type=int, default=HOURS)
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        cost = measure(Path(folder), arguments.pairs, arguments.hours)
    print(json.dumps(asdict(cost), indent=2) if arguments.json else in_words(cost))
    return 0


def measure(home: Path, pairs: int, hours: int) -> Cost:
    symbols = tuple(list(SimulatedSource().symbols(HOUR))[:pairs])
    end = START + (WARM_UP + hours) * HOUR.duration
    place = Workplace(Settings(home=home), "simulated")
    promote_toys(place, symbols)
    clock = ReplayClock(START, end, None)
    feed = Feed(MemorySource(symbols, end), place.store(), symbols, HOUR)
    database = open_database(f"sqlite:///{home / 'desk.db'}")
    create_if_absent(database)
    desk = Desk(place, feed, clock, ProgressReport(), Journal(database, "simulated"))
    desk.fetch_history()
    moments = [START + hour * HOUR.duration for hour in range(WARM_UP + hours)]
    work_off(desk, clock, moments[:WARM_UP])
    with counted_reads() as reads, counted_statements(database) as statements:
        wall, cpu = time.perf_counter(), time.process_time()
        work_off(desk, clock, moments[WARM_UP:])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    n = hours * len(symbols)
    alone = forecast_alone(desk, feed, moments[-1])
    return Cost(
        pairs=len(symbols),
        candles=n,
        milliseconds=wall / n * 1000,
        cpu_milliseconds=cpu / n * 1000,
        forecast_milliseconds=alone * 1000,
        times_forecast=wall / n / alone,
        per_second=n / wall,
        parquet_reads=len(reads) / n,
        statements=len(statements) / n,
    )


def promote_toys(place: Workplace, symbols: tuple[Symbol, ...]) -> None:
    shelf = place.shelf()
    for symbol in symbols:
        draft = toy_draft("simulated", str(symbol), model=ToyPriceModel(lookback=770, hidden=16))
        shelf.promote(draft.manifest.name, shelf.shelve(draft), "a toy for a measurement", START)


def work_off(desk: Desk, clock: ReplayClock, moments: list[datetime]) -> None:
    for moment in moments:
        clock.sleep_until(moment, threading.Event())
        desk.candles_closed(moment)


def forecast_alone(desk: Desk, feed: Feed, cutoff: datetime) -> float:
    kind, times = PriceKind(), []
    for symbol in feed.symbols:
        series = feed.series(symbol)
        subject = Subject(price_name(series), series)
        models = ShelvedModels(desk.board.champions.artifact(str(subject.name)))
        frames = {
            need.series: desk.board.view.closed_candles(need.series, need.count, cutoff)
            for need in kind.needs(subject, models)
        }
        known = KnownCandles("simulated", frames)
        for _ in range(3):
            began = time.perf_counter()
            kind.forecast(subject, cutoff, known, models)
            times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2]


@contextmanager
def counted_reads() -> Iterator[list[object]]:
    read, seen = pl.read_parquet, []

    def counting(*arguments, **options):  # type: ignore[no-untyped-def]
        seen.append(arguments)
        return read(*arguments, **options)

    pl.read_parquet = counting
    try:
        yield seen
    finally:
        pl.read_parquet = read


@contextmanager
def counted_statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_):  # type: ignore[no-untyped-def]
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def in_words(cost: Cost) -> str:
    return (
        f"{cost.pairs} pairs, {cost.candles} closed candles: {cost.per_second:.0f} per second, "
        f"{cost.milliseconds:.1f} ms each ({cost.cpu_milliseconds:.1f} ms of processor),\n"
        f"{cost.times_forecast:.1f} × the forecast alone ({cost.forecast_milliseconds:.1f} ms); "
        f"{cost.parquet_reads:.2f} Parquet reads and {cost.statements:.1f} SQL statements."
    )


if __name__ == "__main__":
    sys.exit(main())
