import numpy as np
import polars as pl
import pytest

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
