"""What every test may ask for."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import structlog
from hypothesis import settings

from database_server import fresh_postgresql, postgresql_server
from exchange_server import ExchangeServer, RecordedMarket
from make_us_rich.database.engine import Database, open_database
from make_us_rich.database.schema import create_if_absent
from make_us_rich.forecasting.kinds import known_kinds
from make_us_rich.market.candle import CANDLE_SCHEMA, as_candles, as_full_candles
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registries import installed

_REPOSITORY = Path(__file__).parents[1]

# no deadline: on a busy machine it fails tests that are right
settings.register_profile("desk", deadline=None, database=None)
settings.load_profile("desk")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in [
        name for name in os.environ if name.startswith("MUR_") and not name.startswith("MUR_CANDLES")
    ]:
        if name != "MUR_REQUIRE_ALL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("MUR_HOME", str(tmp_path_factory.getbasetemp() / "home"))  # never a person's own


@pytest.fixture(autouse=True)
def _no_log_to_where_another_test_sent_it() -> None:
    # a command lets the log go to its stderr, which pytest closes behind it
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def candles_folder() -> Path:
    """The folder of real candles; without it the test is skipped, or fails where all is required."""
    folder = (_REPOSITORY / os.environ.get("MUR_CANDLES", "../shared/data/candles")).resolve()
    if not (folder / "BINANCE").is_dir():
        line = f"no real candles in {folder}; set MUR_CANDLES to their folder"
        if os.environ.get("MUR_REQUIRE_ALL") == "1":
            pytest.fail(line, pytrace=False)
        pytest.skip(line)
    return folder


@pytest.fixture(scope="session")
def bitcoin_hours(candles_folder: Path) -> pl.DataFrame:
    """Real hourly candles of BTC/USDT on Binance, 2022-01-01 to 2026-04-30."""
    return as_candles(pl.read_parquet(candles_folder / "BINANCE" / "BTC-USDT" / "1h.parquet"))


@pytest.fixture(scope="session")
def recorded_market(candles_folder: Path) -> RecordedMarket:
    return RecordedMarket(candles_folder / "BINANCE")


@pytest.fixture
def exchange_server(recorded_market: RecordedMarket) -> Iterator[ExchangeServer]:
    """A local exchange with real candles, whose clock stands at 2026-04-30 02:30 until a test sets it."""
    with ExchangeServer(recorded_market, datetime(2026, 4, 30, 2, 30, tzinfo=UTC)) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a real PostgreSQL server that lives as long as the tests."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, on SQLite and on PostgreSQL in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'desk.db'}"
        return
    with fresh_postgresql(request.getfixturevalue("postgresql_url")) as url:
        yield url


@pytest.fixture
def empty_database(database_url: str) -> Iterator[Database]:
    """A database without tables, on either engine."""
    database = open_database(database_url)
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """A database with every table and no row, on either engine."""
    create_if_absent(empty_database)
    return empty_database


@pytest.fixture
def install_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, dict[str, dict[str, str]], str], None]]:
    """Return a function that installs a package of one module, with its entry points by group."""

    def install(name: str, points: dict[str, dict[str, str]], source: str) -> None:
        site = tmp_path / "site"
        metadata = site / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n"
        )
        groups = (
            "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in parts.items())])
            for group, parts in points.items()
        )
        (metadata / "entry_points.txt").write_text("\n".join(groups))
        (site / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(site)
        installed.cache_clear()

    yield install
    monkeypatch.undo()
    installed.cache_clear()


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The packages of other people in `tests/outside` are installed."""
    monkeypatch.syspath_prepend(str(_REPOSITORY / "tests" / "outside"))
    installed.cache_clear()
    known_kinds.cache_clear()
    yield
    monkeypatch.undo()
    installed.cache_clear()
    known_kinds.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "toy_kinds"]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def simulated() -> SimulatedSource:
    """One source for the whole session, because it remembers what it has simulated."""
    return SimulatedSource()


@pytest.fixture
def bitcoin() -> Symbol:
    return Symbol("BTC", "USDT")


@pytest.fixture
def hourly() -> Timeframe:
    return Timeframe("1h")


@pytest.fixture
def make_candles() -> Callable[..., pl.DataFrame]:
    """Return a function that builds `count` gentle candles from a start, all possible and all different."""

    def build(
        count: int, start: datetime = datetime(2024, 1, 1, tzinfo=UTC), step: str = "1h"
    ) -> pl.DataFrame:
        times = pl.datetime_range(
            start, start + count * Timeframe(step).duration, interval=step, closed="left", eager=True
        )
        close = 100.0 + pl.int_range(count, eager=True) % 7
        return pl.DataFrame(
            {
                "open_time": times,
                "open": close - 0.5,
                "high": close + 1.0,
                "low": close - 1.0,
                "close": close,
                "volume": close * 2,
            }
        ).cast(CANDLE_SCHEMA)

    return build


@pytest.fixture
def with_trades() -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return a function that adds what was traded inside each candle, all of it different."""

    def add(candles: pl.DataFrame) -> pl.DataFrame:
        row = pl.int_range(pl.len())
        return as_full_candles(
            candles.with_columns(
                quote_volume=pl.col("volume") * pl.col("close"),
                trades=1000 + row,
                taker_buy_base=pl.col("volume") / 3,
                taker_buy_quote=pl.col("volume") * pl.col("close") / 3 + row,
            )
        )

    return add
