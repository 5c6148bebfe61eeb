"""Desks over small simulated pasts, in fresh folders."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from make_us_rich.database.engine import open_database
from make_us_rich.database.schema import create_if_absent
from make_us_rich.desk.desk import Desk
from make_us_rich.desk.intake import Feed
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.journal.journal import Journal
from make_us_rich.market.clock import Clock, ReplayClock
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Settings
from make_us_rich.testing.artifacts import toy_draft

START = datetime(2023, 1, 10, tzinfo=UTC)
NAME = "price.BTC-USDT.1h"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def place(settings: Settings) -> Workplace:
    return Workplace(settings, "simulated")


@pytest.fixture
def feed(place: Workplace, simulated: SimulatedSource, bitcoin: Symbol, hourly: Timeframe) -> Feed:
    return Feed(simulated, place.store(), (bitcoin,), hourly)


@pytest.fixture
def shelve_toy(place: Workplace) -> Callable[[], None]:
    """Put a toy model on the shelf and serve it."""

    def shelve() -> None:
        shelf = place.shelf()
        version = shelf.shelve(toy_draft("simulated"))
        shelf.promote(NAME, version, "a toy for a test", START)

    return shelve


@pytest.fixture
def make_desk(
    place: Workplace, feed: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Desk]]:
    """A desk that plays some hours from `START`, or has a clock of its own; its history is already there.

    Its journal is empty.
    """
    opened = []

    def make(hours: int = 0, speed: float | None = None, clock: Clock | None = None) -> Desk:
        database = open_database(f"sqlite:///{tmp_path / f'desk-{len(opened)}.db'}")
        opened.append(database)
        create_if_absent(database)
        clock = clock or ReplayClock(START, START + timedelta(hours=hours), speed)
        desk = Desk(place, feed, clock, ProgressReport(), Journal(database, place.market))
        desk.fetch_history()
        return desk

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def journal(place: Workplace, tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    database = open_database(f"sqlite:///{tmp_path / 'journal.db'}")
    create_if_absent(database)
    yield Journal(database, place.market)
    database.close()


@pytest.fixture
def write_recording(
    tmp_path: Path, simulated: SimulatedSource, bitcoin: Symbol, hourly: Timeframe
) -> Callable[..., Path]:
    """Write some days of simulated BTC/USDT hours, up to 2024-01-01, as a recording."""

    def write(days: int, keep: pl.Expr | None = None) -> Path:
        until = datetime(2024, 1, 1, tzinfo=UTC)
        candles = pl.concat(simulated.fetch(bitcoin, hourly, until - timedelta(days=days), until))
        folder = tmp_path / "recorded"
        (folder / "BTC-USDT").mkdir(parents=True)
        candles.filter(True if keep is None else keep).write_parquet(folder / "BTC-USDT" / "1h.parquet")
        return folder

    return write
