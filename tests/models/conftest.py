from pathlib import Path

import numpy as np
import polars as pl
import pytest

from make_us_rich.features.inputs import read_inputs
from make_us_rich.features.market_volatility import market_variance
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.price_table import PriceTable, build_price_table


@pytest.fixture(scope="session")
def bitcoin_arrays(bitcoin_hours: pl.DataFrame) -> CandleArrays:
    """The first 4,000 hours of 2022, which have no gap."""
    return CandleArrays.from_frame(bitcoin_hours.head(4000))


@pytest.fixture(scope="session")
def bitcoin_table(bitcoin_arrays: CandleArrays) -> PriceTable:
    return build_price_table(bitcoin_arrays.open_time_ms, bitcoin_arrays.ohlcv, Timeframe("1h"))


@pytest.fixture
def constant_ohlcv() -> np.ndarray:
    return np.tile([5.0, 5.0, 5.0, 5.0, 0.0], (900, 1))


@pytest.fixture(scope="session")
def active_arrays(candles_folder: Path) -> CandleArrays:
    """The same 4,000 hours with taker volume, number of trades and the variance of ETH/USDT."""
    bitcoin, ether = (
        pl.read_parquet(candles_folder / "BINANCE" / pair / "1h.parquet").head(4000)
        for pair in ("BTC-USDT", "ETH-USDT")
    )
    candles = bitcoin.with_columns(market_variance(bitcoin["open_time"], [ether]))
    return read_inputs(candles, Timeframe("1h"), ("taker_share", "trades", "market_volatility"))
