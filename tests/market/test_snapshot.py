import hashlib
import os
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.errors import DataError, GapError, StoreError
from make_us_rich.market.candle import CANDLE_SCHEMA, FULL_SCHEMA, as_full_candles
from make_us_rich.market.snapshot import (
    Origin,
    Snapshot,
    content_hash,
    load_snapshot,
    save_snapshot,
    take_snapshot,
    with_market_variance,
)
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2025, 1, 1, tzinfo=UTC)
REPLAY = Origin("replay", "BINANCE")


def take(candles: pl.DataFrame) -> Snapshot:
    return take_snapshot(candles, Symbol("BTC", "USDT"), Timeframe("1h"), origin=REPLAY, now=NOW)


def test_a_snapshot_knows_what_it_holds(make_candles):
    candles = make_candles(500)
    snapshot = take(pl.concat([candles[:100], candles[101:]]))
    assert (snapshot.first, snapshot.last, snapshot.rows) == (START, START + timedelta(hours=499), 500)
    assert snapshot.data_end == START + timedelta(hours=500)
    assert snapshot.candles.filter("filled")["open_time"].to_list() == [START + timedelta(hours=100)]
    assert (snapshot.market, snapshot.source) == ("replay", "BINANCE")


def test_what_is_unfit_is_refused_before_any_work_begins(make_candles):
    candles = make_candles(500)
    with pytest.raises(GapError, match="49 candles missing"):
        take(pl.concat([candles[:100], candles[149:]]))
    with pytest.raises(DataError, match="impossible values"):
        take(
            candles.with_columns(
                close=pl.when(pl.int_range(pl.len()) == 9).then(float("nan")).otherwise("close")
            )
        )
    with pytest.raises(DataError, match="future"):
        take(make_candles(500, NOW))


def test_the_hash_is_the_one_worked_out_by_hand():
    candle = {"open_time": [datetime(1970, 1, 1, 1, tzinfo=UTC)], "open": [1.0], "high": [2.0]}
    candles = pl.DataFrame(candle | {"low": [0.5], "close": [1.5], "volume": [0.0]}, schema=CANDLE_SCHEMA)
    by_hand = (
        b"open_time:1;" + (3_600_000).to_bytes(8, "little")
        + b"open:1;" + bytes.fromhex("000000000000f03f")
        + b"high:1;" + bytes.fromhex("0000000000000040")
        + b"low:1;" + bytes.fromhex("000000000000e03f")
        + b"close:1;" + bytes.fromhex("000000000000f83f")
        + b"volume:1;" + bytes(8)
    )  # fmt: skip
    assert content_hash(candles) == hashlib.sha256(by_hand).hexdigest()


def test_the_hash_follows_the_content_and_nothing_else(make_candles):
    candles = take(make_candles(300)).candles
    rechunked = pl.concat([candles[:7], candles[7:]], rechunk=False).with_columns(note=1)
    assert content_hash(rechunked) == content_hash(candles)
    assert content_hash(candles[:-1]) != content_hash(candles)
    assert content_hash(candles.with_columns(filled=pl.lit(value=True))) != content_hash(candles)


def test_what_was_traded_is_part_of_the_content_where_the_source_tells_it(make_candles, with_trades):
    candles = make_candles(300)
    bare, full = take(candles), take(with_trades(pl.concat([candles[:7], candles[8:]])))
    assert full.candles.columns == [*FULL_SCHEMA, "filled"]
    assert full.candles["trades"][6:9].to_list() == [1006, 0, 1007]
    assert full.content_hash != bare.content_hash
    other = full.candles.with_columns(taker_buy_quote=pl.col("taker_buy_quote") + 1e-9)
    assert content_hash(other) != full.content_hash
    unknown = full.candles.with_columns(trades=pl.when(pl.col("trades") > 0).then("trades"))
    assert content_hash(unknown) != full.content_hash


def test_the_variance_of_the_market_is_part_of_the_content_on_disk_too(make_candles, tmp_path):
    bare = take(make_candles(300))
    whole = with_market_variance(bare, pl.int_range(300, eager=True).cast(pl.Float64))
    assert whole.content_hash != bare.content_hash
    save_snapshot(whole, tmp_path)
    assert load_snapshot(tmp_path, whole.content_hash).candles.equals(whole.candles)
    assert with_market_variance(bare, pl.Series([None] * 300)).content_hash == bare.content_hash


def test_columns_without_any_value_leave_candles_and_hash_as_they_were(make_candles):
    candles = make_candles(300)
    untold = take(as_full_candles(candles))
    assert untold.candles.equals(take(candles).candles)
    assert (
        untold.content_hash
        == take(candles).content_hash
        == content_hash(as_full_candles(untold.candles).with_columns(untold.candles["filled"]))
    )


def test_a_snapshot_keeps_what_was_traded_on_disk(make_candles, with_trades, tmp_path):
    snapshot = take(with_trades(make_candles(300)))
    save_snapshot(snapshot, tmp_path)
    assert load_snapshot(tmp_path, snapshot.content_hash).candles.equals(snapshot.candles)


@given(st.integers(0, 99), st.sampled_from(CANDLE_SCHEMA.names()))
def test_any_changed_value_changes_the_hash(row, column):
    times = pl.datetime_range(START, START + timedelta(hours=99), "1h", time_unit="ms", eager=True)
    candles = pl.DataFrame(
        {"open_time": times} | {name: pl.int_range(100, eager=True) for name in CANDLE_SCHEMA.names()[1:]}
    )
    candles = candles.cast(CANDLE_SCHEMA)
    step = timedelta(milliseconds=1) if column == "open_time" else 1e-9
    value = pl.col(column)
    changed = candles.with_columns(
        pl.when(pl.int_range(pl.len()) == row).then(value + step).otherwise(value).alias(column)
    )
    assert content_hash(changed) != content_hash(candles)


def test_a_snapshot_survives_the_round_trip(tmp_path, bitcoin_hours):
    snapshot = take(bitcoin_hours.filter(pl.col("open_time") < START))
    path = save_snapshot(snapshot, tmp_path / "snapshots")
    assert path.name == f"{snapshot.content_hash}.parquet"
    loaded = load_snapshot(tmp_path / "snapshots", snapshot.content_hash)
    assert loaded.candles.equals(snapshot.candles)
    for name in (
        "symbol",
        "timeframe",
        "market",
        "source",
        "content_hash",
        "first",
        "last",
        "rows",
        "data_end",
    ):
        assert getattr(loaded, name) == getattr(snapshot, name)


def test_the_same_content_is_written_once(tmp_path, make_candles):
    path = save_snapshot(take(make_candles(10)), tmp_path)
    written = path.stat().st_ino
    assert save_snapshot(take(make_candles(10)), tmp_path) == path
    assert path.stat().st_ino == written


def test_a_changed_snapshot_is_refused(tmp_path, make_candles):
    snapshot, other = take(make_candles(10)), take(make_candles(11))
    path = save_snapshot(snapshot, tmp_path)
    path.write_bytes(save_snapshot(other, tmp_path).read_bytes())
    with pytest.raises(StoreError, match="the content has changed since it was saved"):
        load_snapshot(tmp_path, snapshot.content_hash)
    path.write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="not readable as a snapshot"):
        load_snapshot(tmp_path, snapshot.content_hash)


def test_a_missing_snapshot_is_one_clear_line(tmp_path):
    with pytest.raises(StoreError, match="No such file or directory"):
        load_snapshot(tmp_path, "0" * 64)
    with pytest.raises(ValueError, match="not a SHA-256"):
        load_snapshot(tmp_path, "../../etc/passwd")


def test_a_snapshot_that_is_taken_up_again_counts_as_new(make_candles, tmp_path):
    snapshot = take(make_candles(300))
    path = save_snapshot(snapshot, tmp_path)
    os.utime(path, times=(0, 0))
    save_snapshot(snapshot, tmp_path)
    assert path.stat().st_mtime > 0
