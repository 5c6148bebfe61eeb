import polars as pl
import pytest

from make_us_rich.features.indicators import trend_indicators
from make_us_rich.market.candle import as_candles


@pytest.fixture
def solana(mur, candles_folder) -> pl.DataFrame:
    mur(
        "fetch",
        "SOL/USDT",
        "--timeframe",
        "1d",
        "--source",
        f"replay:{candles_folder / 'BINANCE'}",
        "--since",
        "3000d",
    )
    return as_candles(pl.read_parquet(candles_folder / "BINANCE" / "SOL-USDT" / "1d.parquet"))


def write_table(path, candles, column, name):
    days = candles["open_time"].dt.strftime("%Y-%m-%d").alias("time")
    pl.DataFrame([days, trend_indicators(candles)[column].alias(name)]).drop_nulls().write_csv(path)


def test_a_table_from_elsewhere_is_compared_with_ours(mur, solana, tmp_path):
    table = tmp_path / "adx.csv"
    write_table(table, solana, "7_day_ADX", "ADX")
    answer = mur("quality", "SOL/USDT", "--timeframe", "1d", "--indicators", str(table))
    assert answer.status == 0, answer.err
    assert "largest difference" in answer.out
    (record,) = mur("quality", "SOL/USDT", "--timeframe", "1d", "--indicators", str(table), "--json").record[
        "indicators"
    ]
    assert record["name"] == "7_day_ADX"
    assert record["rows"] > 500
    assert record["largest_difference"] < 1e-9
    assert record["correlation"] == pytest.approx(1)


def test_indicators_belong_to_daily_candles(mur, tmp_path):
    mur("fetch", "BTC/USDT", "--source", "simulated", "--since", "5d")
    answer = mur("quality", "BTC/USDT", "--indicators", str(tmp_path / "adx.csv"))
    assert answer.status != 0
    assert "the indicators are of daily candles, not 1h; add --timeframe 1d" in answer.err


def test_days_that_do_not_meet_are_said(mur, solana, tmp_path):
    table = tmp_path / "adx.csv"
    table.write_text("time,ADX\n1999-01-01,20\n")
    answer = mur("quality", "SOL/USDT", "--timeframe", "1d", "--indicators", str(table))
    assert answer.status != 0
    assert "no day of the tables has an indicator of the stored candles" in answer.err


def test_the_leak_check_of_daily_candles_covers_the_trends(mur):
    record = mur("leakage", "--timeframe", "1d", "--json").record
    assert record["is_clean"]
    assert {"7_day_ADX", "10_day_SMA_20_day_SMA_pct_diff", "momentum", "random_walk.touch.down"} <= set(
        record["columns"]
    )
