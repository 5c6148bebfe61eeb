"""Every feature keeps its promises, ours and those of packages."""

import polars as pl
import pytest

from make_us_rich.errors import UnknownNameError
from make_us_rich.features.feature_set import FEATURES, compute_features, resolve_feature
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing import check_feature

HOURLY, DAILY = Timeframe("1h"), Timeframe("1d")


@pytest.fixture
def candles(bitcoin_hours: pl.DataFrame, with_trades) -> pl.DataFrame:
    return with_trades(bitcoin_hours.head(1600)).with_columns(market_variance=pl.col("volume") * 1e-9)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_keeps_the_contract(name: str, candles: pl.DataFrame) -> None:
    check_feature(name, candles, DAILY if resolve_feature(name).timeframes else HOURLY)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_says_something_once_warm(name: str, candles: pl.DataFrame) -> None:
    timeframe = DAILY if resolve_feature(name).timeframes else HOURLY
    columns = resolve_feature(name)(candles, timeframe)
    assert columns.tail(1).null_count().sum_horizontal().item() == 0


def test_columns_whose_windows_are_days_belong_to_daily_candles(candles: pl.DataFrame) -> None:
    few = candles.head(300)
    assert "7_day_adx" in compute_features(few, DAILY).columns
    assert "7_day_adx" not in compute_features(few, HOURLY).columns


def test_a_name_nobody_has_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="feature 'calender' is not known; did you mean calendar"):
        resolve_feature("calender")


def test_a_feature_of_a_package_is_one_of_them(install_package, candles: pl.DataFrame) -> None:
    source = (
        "import polars as pl\n"
        "def doubled(candles, timeframe):\n"
        "    return candles.select((pl.col('close') * 2).alias('doubled_close'))\n"
    )
    install_package("doubling", {FEATURES.group: {"doubled": "doubling:doubled"}}, source)
    check_feature("doubled", candles, HOURLY)
    assert "doubled_close" in compute_features(candles.head(10), HOURLY).columns
