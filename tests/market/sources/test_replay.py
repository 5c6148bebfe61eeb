from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from make_us_rich.errors import DataError, UnknownNameError
from make_us_rich.market.candle import FULL_SCHEMA, as_candles, candles_between
from make_us_rich.market.sources import ReplaySource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing import check_candle_source

START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2030, 1, 1, tzinfo=UTC)
BITCOIN, HOURLY = Symbol("BTC", "USDT"), Timeframe("1h")


def record(folder: Path, candles: pl.DataFrame, name: str = "BTC-USDT/1h.parquet") -> ReplaySource:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    candles.write_parquet(path)
    return ReplaySource(folder)


def fetch(source: ReplaySource, since: datetime = START, until: datetime = END) -> pl.DataFrame:
    return pl.concat(source.fetch(BITCOIN, HOURLY, since, until))


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d"])
def test_a_recording_keeps_the_contract_of_a_source(candles_folder, bitcoin, timeframe):
    source = ReplaySource(candles_folder / "BINANCE")
    first, _ = source.span(bitcoin, Timeframe(timeframe))
    check_candle_source(source, bitcoin, Timeframe(timeframe), first, first + timedelta(days=100))


def test_real_candles_come_out_as_recorded(candles_folder, bitcoin_hours):
    source = ReplaySource(candles_folder / "BINANCE")
    since, until = datetime(2023, 3, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    assert as_candles(fetch(source, since, until)).equals(candles_between(bitcoin_hours, since, until))
    assert source.span(BITCOIN, HOURLY) == (
        datetime(2022, 1, 1, tzinfo=UTC),
        datetime(2026, 4, 30, 4, tzinfo=UTC),
    )
    assert len(source.symbols(HOURLY)) == 16
    assert source.name == "BINANCE"


def test_what_was_traded_is_passed_on_where_it_was_recorded(tmp_path, make_candles, with_trades):
    full = with_trades(make_candles(9))
    assert fetch(record(tmp_path, full)).equals(full)
    partly = fetch(record(tmp_path, full.drop("trades")))
    assert partly.schema == FULL_SCHEMA
    assert partly["trades"].null_count() == 9
    assert partly.drop("trades").equals(full.drop("trades"))


def test_gaps_and_impossible_values_are_passed_on_for_the_quality_check(tmp_path, make_candles):
    candles = make_candles(9).with_columns(
        low=pl.when(pl.int_range(pl.len()) == 4).then(-1.0).otherwise("low")
    )
    recorded = pl.concat([candles[:2], candles[3:]])
    assert fetch(record(tmp_path, recorded)).equals(recorded)


def test_symbols_are_those_with_a_file_of_the_timeframe(tmp_path, make_candles):
    record(tmp_path, make_candles(3), "ETH-USDT/1h.parquet")
    record(tmp_path, make_candles(3, step="1d"), "SOL-USDT/1d.parquet")
    (tmp_path / "README.md").touch()
    source = record(tmp_path, make_candles(3))
    assert source.symbols(HOURLY) == [BITCOIN, Symbol("ETH", "USDT")]
    assert source.symbols(Timeframe("4h")) == []


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda candles: candles.reverse(), "8 candles out of order or twice"),
        (lambda candles: pl.concat([candles[:3], candles[2:]]), "1 candles out of order or twice"),
        (
            lambda candles: candles.with_columns(pl.col("open_time") + timedelta(minutes=30)),
            "9 candles off the 1h grid",
        ),
        (
            lambda candles: candles.with_columns(pl.col("open_time") + timedelta(days=365_000)),
            "9 candles in the future, first 3023",
        ),
        (lambda candles: candles.head(0), "holds no candles"),
        (lambda candles: candles.drop("close"), "candles lack close"),
    ],
)
def test_a_recording_that_cannot_be_right_is_refused_in_one_line(tmp_path, make_candles, spoil, message):
    source = record(tmp_path, spoil(make_candles(9)))
    with pytest.raises(DataError, match=f"1h.parquet: {message}") as caught:
        fetch(source)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_parquet_is_refused_in_one_line(tmp_path, make_candles):
    source = record(tmp_path, make_candles(3))
    (tmp_path / "BTC-USDT/1h.parquet").write_text("open,high,low")
    with pytest.raises(DataError, match=r"1h\.parquet: not readable as Parquet; replace the file"):
        fetch(source)


def test_what_the_folder_lacks_is_answered_with_what_it_has(tmp_path, make_candles):
    source = record(tmp_path, make_candles(3))
    with pytest.raises(UnknownNameError, match=r"has no BTC/EUR; did you mean BTC/USDT\?"):
        source.fetch(Symbol("BTC", "EUR"), HOURLY, START, END)
    with pytest.raises(UnknownNameError, match="has no candles of 4h; choose one of 1h"):
        source.fetch(BITCOIN, Timeframe("4h"), START, END)
    with pytest.raises(UnknownNameError, match=r"replay folder .* does not exist; it should hold"):
        ReplaySource(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("folder", "name"), [("BINANCE", "BINANCE"), ("my tapes!", "my-tapes"), ("§", "replay")]
)
def test_the_name_is_safe_as_a_folder_of_the_store(tmp_path, folder, name):
    (tmp_path / folder).mkdir()
    assert ReplaySource(tmp_path / folder).name == name
