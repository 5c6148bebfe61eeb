import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_us_rich.errors import DataError, StoreError
from make_us_rich.market.candle import CANDLE_SCHEMA, candles_between, no_candles
from make_us_rich.market.series import Series
from make_us_rich.market.store import AppendResult, CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

BITCOIN = Symbol("BTC", "USDT")
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path / "candles")


def append(store: CandleStore, candles: pl.DataFrame, timeframe: str = "1h") -> AppendResult:
    return store.append(candles, Series("binance", BITCOIN, Timeframe(timeframe)))


def load(
    store: CandleStore, since: datetime | None = None, until: datetime | None = None, timeframe: str = "1h"
) -> pl.DataFrame:
    return store.load(Series("binance", BITCOIN, Timeframe(timeframe)), since, until)


def files(folder: Path) -> list[str]:
    # whether the lock's file stays is the lock's own business
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return sorted(str(path.relative_to(folder)) for path in paths)


def test_what_was_appended_is_loaded_in_time_order(store, make_candles):
    candles = make_candles(50)
    assert append(store, candles.sample(fraction=1.0, shuffle=True, seed=1)) == AppendResult(
        added=50, revised=0
    )
    assert load(store).equals(candles)
    assert load(store).schema == CANDLE_SCHEMA


def test_appending_again_changes_nothing(store, make_candles, tmp_path):
    append(store, make_candles(50))
    part = tmp_path / "candles/binance/BTC-USDT/1h/2024.parquet"
    before = part.stat()
    assert append(store, make_candles(50)) == AppendResult(added=0, revised=0)
    assert append(store, no_candles()) == AppendResult(added=0, revised=0)
    assert part.stat().st_ino == before.st_ino, "the file was not even written again"
    assert append(store, make_candles(60)).added == 10


def test_real_years_survive_the_round_trip(store, bitcoin_hours, tmp_path):
    assert append(store, bitcoin_hours).added == len(bitcoin_hours)
    assert load(store).equals(bitcoin_hours)
    parts = [f"binance/BTC-USDT/1h/{year}.parquet" for year in range(2022, 2027)]
    assert files(tmp_path / "candles") == [*parts, "store.json"]


def test_minutes_lie_in_monthly_parts(store, make_candles, tmp_path):
    append(store, make_candles(3, datetime(2023, 12, 31, 23, 58, tzinfo=UTC), "1m"), "1m")
    folder = tmp_path / "candles/binance/BTC-USDT/1m"
    assert files(folder) == ["2023-12.parquet", "2024-01.parquet"]
    assert len(load(store, until=START, timeframe="1m")) == 2
    assert len(load(store, since=START, timeframe="1m")) == 1


def test_a_window_is_loaded_with_since_inclusive_and_until_exclusive(store, bitcoin_hours):
    append(store, bitcoin_hours)
    for since, until in [
        (None, START),
        (START, None),
        (START - timedelta(hours=5), START + timedelta(hours=5)),
        (START, START),
        (datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)),
    ]:
        assert load(store, since, until).equals(candles_between(bitcoin_hours, since, until))


def test_a_closed_candle_stays_as_it_was_first_stored(store, make_candles):
    candles = make_candles(10)
    append(store, candles)
    revised = candles.with_columns(
        close=pl.when(pl.int_range(pl.len()) < 3).then(pl.col("close") + 0.5).otherwise("close")
    )
    assert append(store, revised) == AppendResult(added=0, revised=3)
    assert load(store).equals(candles)


def test_what_was_traded_is_kept_and_only_answered_when_asked_for(store, make_candles, with_trades):
    full = with_trades(make_candles(10))
    append(store, full)
    assert load(store).equals(make_candles(10))
    hour_three = START + timedelta(hours=3)
    stored = store.load_full(Series("binance", BITCOIN, Timeframe("1h")), since=hour_three)
    assert stored.equals(full[3:])


def test_candles_with_and_without_trades_lie_in_one_series(store, make_candles, with_trades):
    full = with_trades(make_candles(10))
    append(store, make_candles(6))
    assert append(store, full[6:]).added == 4
    stored = store.load_full(Series("binance", BITCOIN, Timeframe("1h")))
    assert stored["trades"].to_list() == [None] * 6 + [1006, 1007, 1008, 1009]


def test_trades_complete_a_stored_candle_and_never_change_one(store, make_candles, with_trades):
    full = with_trades(make_candles(10))
    append(store, make_candles(10))
    assert append(store, full) == AppendResult(added=0, revised=0)
    assert append(store, make_candles(10)) == AppendResult(added=0, revised=0)
    assert append(store, full.with_columns(trades=pl.col("trades") + 1)) == AppendResult(added=0, revised=10)
    assert store.load_full(Series("binance", BITCOIN, Timeframe("1h"))).equals(full)


def test_a_part_from_before_there_were_trades_is_read_and_completed(
    store, make_candles, with_trades, tmp_path
):
    append(store, make_candles(10))
    make_candles(10).write_parquet(tmp_path / "candles/binance/BTC-USDT/1h/2024.parquet")
    assert store.load_full(Series("binance", BITCOIN, Timeframe("1h")))["trades"].null_count() == 10
    append(store, with_trades(make_candles(10)))
    assert store.load_full(Series("binance", BITCOIN, Timeframe("1h"))).equals(with_trades(make_candles(10)))


def test_a_possible_candle_takes_the_place_of_an_impossible_one(store, make_candles):
    candles = make_candles(10)
    broken = candles.with_columns(
        low=pl.when(pl.int_range(pl.len()) == 4).then(float("nan")).otherwise("low")
    )
    append(store, broken)
    assert append(store, broken) == AppendResult(added=0, revised=0)
    assert append(store, candles) == AppendResult(added=0, revised=0, repaired=1)
    assert append(store, broken) == AppendResult(added=0, revised=1)
    assert load(store).equals(candles)


def test_a_candle_twice_in_one_page_is_stored_once(store, make_candles):
    candles = make_candles(5)
    assert append(store, pl.concat([candles, candles])).added == 5
    assert load(store).equals(candles)


def test_a_candle_off_the_grid_is_refused_and_nothing_is_stored(store, make_candles):
    candles = make_candles(5).with_columns(pl.col("open_time") + timedelta(seconds=1))
    with pytest.raises(
        DataError, match=r"BTC/USDT 1h: 5 candles off the 1h grid, first at 2024-01-01 00:00:01"
    ):
        append(store, candles)
    assert store.series() == []


def test_the_ends_of_a_series_are_known(store, make_candles):
    hourly = Timeframe("1h")
    assert store.first_open_time(Series("binance", BITCOIN, hourly)) is None
    assert store.last_open_time(Series("binance", BITCOIN, hourly)) is None
    append(store, make_candles(10_000))
    assert store.first_open_time(Series("binance", BITCOIN, hourly)) == START
    assert store.last_open_time(Series("binance", BITCOIN, hourly)) == START + timedelta(hours=9999)


def test_series_are_listed_and_kept_apart(store, make_candles, tmp_path):
    ether = Symbol("ETH", "USDT")
    append(store, make_candles(3))
    store.append(make_candles(4), Series("binance", ether, Timeframe("1h")))
    store.append(make_candles(5), Series("kraken", BITCOIN, Timeframe("1h")))
    append(store, make_candles(2, step="1d"), "1d")
    (tmp_path / "candles/binance/notes/1h").mkdir(parents=True)
    (tmp_path / "candles/binance/notes/1h/x.parquet").touch()
    assert store.series() == [
        Series("binance", BITCOIN, Timeframe("1d")),
        Series("binance", BITCOIN, Timeframe("1h")),
        Series("binance", ether, Timeframe("1h")),
        Series("kraken", BITCOIN, Timeframe("1h")),
    ]
    assert len(load(store)) == 3


def test_a_store_nobody_has_written_to_is_empty_and_leaves_no_trace(store, tmp_path):
    assert store.series() == []
    assert load(store).is_empty()
    assert load(store).schema == CANDLE_SCHEMA
    assert not (tmp_path / "candles").exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b"])
def test_a_source_name_cannot_lead_out_of_the_store(store, make_candles, name):
    with pytest.raises(ValueError, match="cannot be a folder"):
        store.append(make_candles(1), Series(name, BITCOIN, Timeframe("1h")))


def test_a_store_of_a_newer_version_is_refused_with_both_numbers(store, make_candles, tmp_path):
    append(store, make_candles(3))
    marker = tmp_path / "candles/store.json"
    assert json.loads(marker.read_text()) == {"format": 1}
    marker.write_text(json.dumps({"format": 2}))
    with pytest.raises(StoreError, match=r"store has format 2, this version knows format 1; install a newer"):
        CandleStore(tmp_path / "candles")


@pytest.mark.parametrize("text", ["", "{}", "[]", "1"])
def test_an_unreadable_format_is_one_clear_line(tmp_path, text):
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(StoreError, match=r"store\.json: not readable"):
        CandleStore(tmp_path)


def test_a_damaged_part_is_named(store, make_candles, tmp_path):
    append(store, make_candles(3))
    part = tmp_path / "candles/binance/BTC-USDT/1h/2024.parquet"
    part.write_bytes(part.read_bytes()[:100])
    for use in (lambda: load(store), lambda: append(store, make_candles(5))):
        with pytest.raises(StoreError, match=r"2024\.parquet: not readable as candles; remove this file"):
            use()


def test_a_full_disk_is_one_clear_line_and_loses_nothing(store, make_candles, tmp_path, monkeypatch):
    append(store, make_candles(10))

    def no_space(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(StoreError, match="No space left on device; free some space") as caught:
            append(store, make_candles(20))
    assert "\n" not in str(caught.value)
    assert load(store).equals(make_candles(10))
    assert not list((tmp_path / "candles").rglob("*.tmp"))
    assert append(store, make_candles(20)).added == 10


def test_a_read_only_folder_is_one_clear_line(store, make_candles, monkeypatch):
    append(store, make_candles(10))
    open_file = os.open

    def read_only(path: object, flags: int, *rest: int, **options: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return open_file(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(StoreError, match="Read-only file system; make it writable for this user"):
        append(store, make_candles(20))
    assert load(store).equals(make_candles(10)), "reading needs no lock"


def test_a_root_that_cannot_be_a_folder_is_one_clear_line(tmp_path, make_candles):
    (tmp_path / "file").touch()
    store = CandleStore(tmp_path / "file" / "candles")
    with pytest.raises(StoreError, match="Not a directory; check that MUR_HOME is a folder"):
        append(store, make_candles(1))


def test_what_a_killed_writer_left_is_ignored_and_then_cleaned(store, make_candles, tmp_path):
    append(store, make_candles(3))
    leftover = tmp_path / "candles/binance/BTC-USDT/1h/.2024.parquet.x7.tmp"
    leftover.write_bytes(b"half a file")
    assert load(store).equals(make_candles(3))
    append(store, make_candles(4))
    assert not leftover.exists()


def test_parts_are_written_outwards_so_that_a_kill_between_them_leaves_no_hole(
    store, bitcoin_hours, monkeypatch
):
    append(store, bitcoin_hours.filter(pl.col("open_time").dt.year() == 2024))
    written: list[str] = []
    replace = os.replace

    def note(source: object, target: object) -> None:
        written.append(Path(str(target)).stem)
        replace(source, target)

    monkeypatch.setattr(os, "replace", note)
    append(store, bitcoin_hours.filter(pl.col("open_time") < START))
    append(store, bitcoin_hours.filter(pl.col("open_time") > START))
    assert written == ["2023", "2022", "2025", "2026"]


def test_threads_may_append_at_once(store, make_candles):
    candles = make_candles(400)
    with ThreadPoolExecutor(4) as threads:
        results = list(
            threads.map(lambda start: append(store, candles[start : start + 40]), range(0, 400, 20))
        )
    assert sum(result.added for result in results) == 400
    assert load(store).equals(candles)


PAGES = st.lists(st.lists(st.integers(0, 20_000), max_size=30), max_size=5)


@settings(max_examples=50)
@given(PAGES)
def test_any_pages_in_any_order_add_up_to_their_union(tmp_path_factory, pages):
    store = CandleStore(tmp_path_factory.mktemp("store"))
    added = [append(store, _candles_at(hours)).added for hours in pages]
    expected = _candles_at(sorted({hour for hours in pages for hour in hours}))
    assert load(store).equals(expected)
    assert sum(added) == len(expected)


def _candles_at(hours: list[int]) -> pl.DataFrame:
    price = [100.0 + hour for hour in hours]
    times = [START + timedelta(hours=hour) for hour in hours]
    values = dict.fromkeys(("open", "high", "low", "close", "volume"), price)
    return pl.DataFrame({"open_time": times} | values, schema=CANDLE_SCHEMA)
