from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from make_us_rich.market.snapshot import Origin, Snapshot, take_snapshot
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.training.price.experiment import PriceExperiment, preset_experiment

SMALL_LSTM = {"window": 8, "hidden": 4, "epochs": 1, "batch_size": 512}


@pytest.fixture(scope="session")
def take(bitcoin_hours: pl.DataFrame) -> Callable[..., Snapshot]:
    """Return a function that takes a snapshot of real hours between two dates."""

    def build(since: str = "2025-07-01", until: str = "2026-04-30") -> Snapshot:
        start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (since, until))
        candles = bitcoin_hours.filter((pl.col("open_time") >= start) & (pl.col("open_time") < end))
        origin = Origin("replay", "BINANCE")
        return take_snapshot(candles, Symbol("BTC", "USDT"), Timeframe("1h"), origin=origin, now=end)

    return build


@pytest.fixture(scope="session")
def small_lstm() -> PriceExperiment:
    return preset_experiment("lstm", "BTC/USDT", lstm=SMALL_LSTM)


@pytest.fixture(scope="session")
def volatility_only() -> PriceExperiment:
    return preset_experiment("volatility", "BTC/USDT")
