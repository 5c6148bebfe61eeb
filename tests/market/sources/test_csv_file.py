from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_us_rich.errors import DataError, UnknownNameError
from make_us_rich.market.candle import CANDLE_SCHEMA, FULL_SCHEMA, as_candles, candles_between
from make_us_rich.market.sources.csv_file import CsvCandles, CsvSource, read_csv_candles
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing import check_candle_source

START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
CONTRADICTION = "date and time that contradict each other, left out"
IMPOSSIBLE = "values no market can have (not positive, or outside low to high), left out"
HEADER = "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount"


@pytest.fixture
def sample(candles_folder: Path) -> Callable[[str], CsvCandles]:
    """Return a function that reads a file as CryptoDataDownload really published it."""
    folder = candles_folder.parent / "samples"
    return lambda name: read_csv_candles(folder / f"cryptodatadownload_{name}.csv", NOW)


def rows(count: int, price: float = 100.0) -> list[str]:
    """Good rows of an hour each, oldest first."""
    lines = []
    for number in range(count):
        time, close = START + timedelta(hours=number), price + number
        prices = f"{close - 0.5:.2f},{close + 1:.2f},{close - 1:.2f},{close:.2f}"
        volumes = f"2.50000000,{2.5 * close:.8f}"
        lines.append(
            f"{int(time.timestamp())},{time:%Y-%m-%d %H:%M:%S},BTC/USDT,{prices},{volumes},{10 + number}"
        )
    return lines


def read(folder: Path, lines: list[str], name: str = "some_file.csv", header: str = HEADER) -> CsvCandles:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n")
    return read_csv_candles(path, NOW)


def remarks(read_file: CsvCandles) -> dict[str, tuple[int, ...]]:
    return {remark.text: remark.lines for remark in read_file.remarks}


def hours(read_file: CsvCandles) -> list[int]:
    return [(time - START) // timedelta(hours=1) for time in read_file.candles["open_time"]]


# files as they were published


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "count"),
    [
        ("Binance_BTCUSDT_1h", "BTC/USDT", "1h", 4799),
        ("Binance_BTCUSDT_1h_mixed_timestamps", "BTC/USDT", "1h", 1497),
        ("Binance_BTCUSDT_minute", "BTC/USDT", "1m", 346),
        ("Bitstamp_BTCEUR_1h", "BTC/EUR", "1h", 4999),
        ("Bitstamp_BTCEUR_1h_volume_columns_swapped", "BTC/EUR", "1h", 1999),
        ("Kraken_BTCEUR_1h", "BTC/EUR", "1h", 1999),
    ],
)
def test_a_published_file_is_read_and_keeps_the_contract_of_a_source(
    candles_folder, name, symbol, timeframe, count
):
    source = CsvSource(candles_folder.parent / "samples" / f"cryptodatadownload_{name}.csv")
    series = (Symbol.parse(symbol), Timeframe(timeframe))
    first, end = source.span(*series)
    assert sum(len(page) for page in source.fetch(*series, first, end)) == count
    check_candle_source(source, *series, first, end)


@pytest.mark.parametrize(
    ("name", "recorded", "unlike"),
    [
        ("Binance_BTCUSDT_1h", "BINANCE_LONG/BTC-USDT/1h", 4),  # hours the exchange corrected later
        ("Binance_BTCUSDT_minute", "BINANCE/BTC-USDT/1m", 0),
        ("Bitstamp_BTCEUR_1h", "BITSTAMP/BTC-EUR/1h", 0),
    ],
)
def test_a_published_file_equals_what_others_recorded(sample, candles_folder, name, recorded, unlike):
    ours = as_candles(sample(name).candles)
    others = as_candles(pl.read_parquet(candles_folder / f"{recorded}.parquet"))
    common = ours.join(others, on="open_time", how="semi")
    same = ours.join(others, on=CANDLE_SCHEMA.names(), how="semi")
    assert len(common) >= len(ours) - 1, "the recording lacks one hour that the published file has"
    assert len(common) - len(same) == unlike


def test_exchanged_volume_columns_are_put_right_row_by_row(sample, candles_folder):
    ours = sample("Bitstamp_BTCEUR_1h_volume_columns_swapped")
    recorded = pl.read_parquet(candles_folder / "BITSTAMP" / "BTC-EUR" / "1h.parquet")
    others = recorded.join(ours.candles.select("open_time"), on="open_time", how="semi")
    volumes = ("open_time", "volume", "quote_volume")
    assert ours.candles.select(volumes).equals(
        others.select(volumes).cast({"open_time": FULL_SCHEMA["open_time"]})
    )
    assert remarks(ours)["volume columns exchanged, put right"] == tuple(range(1003, 2003))


def test_of_a_row_and_its_rounding_the_one_with_more_digits_is_used(sample, candles_folder):
    ours = sample("Binance_BTCUSDT_1h_mixed_timestamps")
    recorded = as_candles(pl.read_parquet(candles_folder / "BINANCE_LONG" / "BTC-USDT" / "1h.parquet"))
    pairs = ours.candles.join(recorded, on="open_time", suffix="_recorded")
    differs = pl.any_horizontal(
        pl.col(name) != pl.col(f"{name}_recorded") for name in ("open", "high", "low")
    )
    assert pairs.filter(differs).height <= 1, "one row of the file is unlike the exchange's"
    found = remarks(ours)
    assert len(found["written again with fewer digits, not used"]) == 498
    assert found["different values for the same time, none of them used"] == (1001, 1002, 1513, 1514)


def test_what_the_file_tells_about_trades_is_kept_and_null_stays_unknown(sample):
    kraken = sample("Kraken_BTCEUR_1h").candles
    assert kraken.schema == FULL_SCHEMA
    assert kraken["quote_volume"].null_count() == 0
    assert 0 < kraken["trades"].null_count() < len(kraken)
    assert kraken["taker_buy_base"].null_count() == len(kraken)


# rows that cannot be used


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (lambda row: row.rsplit(",", 1)[0], "wrong number of fields, left out"),
        (lambda row: row + ",7", "wrong number of fields, left out"),
        (lambda row: "soon" + row[10:], "time that cannot be read, left out"),
        (lambda row: "17040" + row[10:], "time that cannot be read, left out"),
        (lambda row: row.replace("2024-01-01", "2024-01-02"), CONTRADICTION),
        (lambda row: row.replace("2024-01-01", "01/01/2024"), CONTRADICTION),
        (lambda row: row.replace("104.50", "NULL"), "number that is missing or cannot be read, left out"),
        (lambda row: row.replace("104.50", "1O4.50"), "number that is missing or cannot be read, left out"),
        (lambda row: row.replace(",15", ",many"), "number that is missing or cannot be read, left out"),
        (lambda row: row.replace("104.50", "1045.0"), IMPOSSIBLE),
        (lambda row: row.replace("262.5", "999.9"), "volumes that fit the price in neither order, left out"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_right_is_left_out_and_named_by_its_line(tmp_path, spoil, finding):
    lines = rows(9)
    lines[5] = spoil(lines[5])
    found = read(tmp_path, lines)
    assert hours(found) == [0, 1, 2, 3, 4, 6, 7, 8]
    assert remarks(found) == {finding: (7,)}


def test_a_row_off_the_grid_and_one_from_the_future_are_named(tmp_path):
    lines = rows(9)
    lines[2] = lines[2].replace("1704074400,2024-01-01 02:00:00", "1704074460,2024-01-01 02:01:00")
    lines[8] = lines[8].replace("1704096000,2024-01-01 08:00:00", "1893456000,2030-01-01 00:00:00")
    found = read(tmp_path, lines)
    assert hours(found) == [0, 1, 3, 4, 5, 6, 7]
    assert remarks(found) == {"off the 1h grid, left out": (4,), "not closed yet, left out": (10,)}


def test_the_newest_row_of_a_file_that_begins_with_it_is_not_trusted(tmp_path):
    found = read(tmp_path, rows(9)[::-1])
    assert hours(found) == list(range(8))
    assert list(remarks(found).values()) == [(2,)]
    assert hours(read(tmp_path, rows(9))) == list(range(9)), (
        "a file that ends with it was written once it had closed"
    )


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    lines = rows(9)
    lines[7] = "broken"
    path = tmp_path / "file.csv"
    path.write_bytes(
        "\r\n".join(["\ufeffhttps://www.example.org", "", HEADER, lines[0], "", *lines[1:], "", ""]).encode()
    )
    found = read_csv_candles(path, NOW)
    assert remarks(found) == {"wrong number of fields, left out": (12,)}
    assert path.read_text(encoding="utf-8-sig").splitlines()[12 - 1] == "broken"


def test_a_file_with_less_than_half_of_its_rows_usable_is_refused(tmp_path):
    lines = [row.replace("2024-01-01", "2024-01-02") for row in rows(9)]
    with pytest.raises(
        DataError, match=r"some_file.csv: 0 of 9 rows can be used \(date and time that contra.*: lines 2, 3"
    ):
        read(tmp_path, lines)
    assert len(read(tmp_path, lines[:4] + rows(9)[4:]).candles) == 5


# two rows for one hour


def test_the_same_row_twice_is_used_once(tmp_path):
    found = read(tmp_path, [*rows(5), rows(5)[2]])
    assert hours(found) == [0, 1, 2, 3, 4]
    assert remarks(found) == {"written again with the same values, used once": (7,)}


@pytest.mark.parametrize("place", [0, 5])
def test_a_rounding_gives_way_wherever_it_stands(tmp_path, place):
    lines = rows(5)
    lines.insert(place, lines[2].replace("101.50", "101.4").replace("2.50000000", "2.5"))
    found = read(tmp_path, lines)
    assert hours(found) == [0, 1, 2, 3, 4]
    assert remarks(found) == {"written again with fewer digits, not used": (place + 2,)}


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.replace("101.50", "101.51"),  # as many digits: which one is right?
        lambda row: row.replace("101.50", "101.7"),  # fewer digits, but no rounding of the other
        lambda row: row.replace("2.50000000,255.00000000", "2.4,244.8"),
    ],
)
def test_two_rows_that_differ_are_both_left_out(tmp_path, change):
    lines = rows(5)
    found = read(tmp_path, [*lines, change(lines[2])])
    assert hours(found) == [0, 1, 3, 4]
    assert remarks(found) == {"different values for the same time, none of them used": (4, 7)}


def test_a_good_row_stands_in_for_a_broken_one_of_the_same_hour(tmp_path):
    lines = rows(5)
    found = read(tmp_path, [*lines, lines[2].replace("101.50", "NULL")])
    assert hours(found) == [0, 1, 2, 3, 4]
    assert list(remarks(found)) == ["number that is missing or cannot be read, left out"]


# volumes


def test_volumes_are_put_right_even_where_they_are_rounded(tmp_path):
    lines = [row.replace("2.50000000", "2.5") for row in rows(5, price=40_000)]
    fields = lines[3].split(",")
    fields[7], fields[8] = f"{float(fields[8]):.2f}", "2.5"
    lines[3] = ",".join(fields)
    lines[4] = lines[4].replace("2.5,100010.00000000", "0.00,12.3")
    found = read(tmp_path, lines)
    assert found.candles["volume"].to_list() == [2.5, 2.5, 2.5, 2.5, 0.0]
    assert remarks(found) == {"volume columns exchanged, put right": (5,)}


def test_a_price_near_one_leaves_the_columns_as_they_are_named(tmp_path):
    time = int(START.timestamp())
    lines = [f"{time + 3600 * hour},DAI/USDT,1,1.001,0.999,1,500,500.2" for hour in range(3)]
    found = read(tmp_path, lines, header="unix,symbol,open,high,low,close,Volume DAI,Volume USDT")
    assert found.candles["volume"].to_list() == [500.0] * 3
    assert found.remarks == ()


# plain files, symbols and timeframes


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_plain_file_written_by_polars_comes_back_as_it_was(tmp_path, make_candles, separator):
    candles = make_candles(50)
    candles.write_csv(tmp_path / "ETH-USDT_1h.csv", separator=separator)
    found = read_csv_candles(tmp_path / "ETH-USDT_1h.csv", NOW)
    assert (str(found.symbol), found.timeframe.name, found.remarks) == ("ETH/USDT", "1h", ())
    assert found.candles.schema == CANDLE_SCHEMA
    assert found.candles.equals(candles)


def test_a_plain_file_keeps_what_was_traded(tmp_path, make_candles, with_trades):
    full = with_trades(make_candles(50))
    full.with_columns(pl.col("open_time").dt.epoch("us")).write_csv(tmp_path / "ETHUSDT-1h.csv")
    assert read_csv_candles(tmp_path / "ETHUSDT-1h.csv", NOW).candles.equals(full)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTC-USDT_1h", "BTC/USDT"),
        ("Binance_BTCUSDT_2021_hour", "BTC/USDT"),
        ("bitstamp btceur", "BTC/EUR"),
        ("binance_btc_usdt_1h", "BTC/USDT"),
        ("ETHBTC", "ETH/BTC"),
        ("1INCHUSDT-1h", "1INCH/USDT"),
    ],
)
def test_the_pair_is_found_in_the_name_of_a_plain_file(tmp_path, make_candles, name, symbol):
    make_candles(5).write_csv(tmp_path / f"{name}.csv")
    assert str(read_csv_candles(tmp_path / f"{name}.csv", NOW).symbol) == symbol


@pytest.mark.parametrize("name", ["candles", "my_prices_1h", "BTC-USDT_ETH-EUR_1h"])
def test_a_name_that_tells_no_pair_or_two_is_refused_with_the_way_out(tmp_path, make_candles, name):
    make_candles(5).write_csv(tmp_path / f"{name}.csv")
    with pytest.raises(DataError, match="tells the pair; name it BTC-USDT_1h"):
        read_csv_candles(tmp_path / f"{name}.csv", NOW)


def test_the_rows_tell_the_pair_before_the_header_and_the_header_before_the_name(tmp_path):
    plain = "unix,open,high,low,close,Volume SOL,Volume USD"
    lines = [f"{1704067200 + 3600 * hour},9,11,8,10,1,10" for hour in range(3)]
    assert str(read(tmp_path, lines, "BTC-USDT_1h.csv", plain).symbol) == "SOL/USD"
    stated = [line + ",SOLUSD" for line in lines]
    assert str(read(tmp_path, stated, "BTC-USDT_1h.csv", plain + ",symbol").symbol) == "SOL/USD"
    stated = [line + ",SOL/EUR" for line in lines]
    assert str(read(tmp_path, stated, "BTC-USDT_1h.csv", plain + ",symbol").symbol) == "SOL/EUR"


def test_rows_of_two_pairs_are_refused_by_line(tmp_path):
    lines = rows(5)
    lines[3] = lines[3].replace("BTC/USDT", "ETH/USDT")
    with pytest.raises(DataError, match="line 5 is of ETH/USDT, the rows before of BTC/USDT; split it"):
        read(tmp_path, lines)


@pytest.mark.parametrize(
    ("name", "step", "message"),
    [
        ("BTC-USDT_1d.csv", "1h", "its name says 1d, but its rows are 60 minutes apart; rename it"),
        ("BTC-USDT.csv", "7h", "its rows are 420 minutes apart; resample it to one of 1m, 3m"),
    ],
)
def test_rows_at_an_unexpected_distance_are_refused(tmp_path, make_candles, name, step, message):
    hourly = make_candles(50)
    hourly.gather_every(int(step[:-1])).write_csv(tmp_path / name)
    with pytest.raises(DataError, match=message):
        read_csv_candles(tmp_path / name, NOW)


def test_a_single_row_needs_a_name_that_tells_its_length(tmp_path):
    assert read(tmp_path, rows(1), "BTC-USDT_hourly.csv").timeframe.name == "1h"
    with pytest.raises(DataError, match="one row does not tell how long a candle is"):
        read(tmp_path, rows(1), "BTC-USDT.csv")


# files that are none


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no header with open, high, low and close in its first 10 lines"),
        (b"1704067200000,1,2,0.5,1.5,7\n" * 20, "no header with open"),
        (b"open,high,low,close,volume\n1,2,0.5,1.5,7\n", "line 1, the header, names no open_time"),
        (b"a banner\nunix,open,high,low,close\n", "line 2, the header, names no volume"),
        (b"PK\x03\x04\xff\xfe\x00", "not a text file in UTF-8; unpack or convert it"),
        (HEADER.encode(), "0 of 0 rows can be used"),
    ],
)
def test_a_file_that_holds_no_candles_is_one_clear_line(tmp_path, content, message):
    path = tmp_path / "BTC-USDT_1h.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_csv_candles(path, NOW)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_answers_for_its_own_pair_and_timeframe_only(tmp_path, bitcoin, hourly):
    read(tmp_path, rows(5))
    source = CsvSource(tmp_path / "some_file.csv")
    assert source.status().remarks == ()
    assert source.symbols(hourly) == [bitcoin]
    assert source.symbols(Timeframe("1d")) == []
    with pytest.raises(UnknownNameError, match=r"some_file.csv has no ETH/USDT; did you mean BTC/USDT\?"):
        source.fetch(Symbol("ETH", "USDT"), hourly, START, NOW)
    with pytest.raises(UnknownNameError, match="has no candles of 1d; choose one of 1h"):
        source.fetch(bitcoin, Timeframe("1d"), START, NOW)
    with pytest.raises(UnknownNameError, match="does not exist; write csv:FILE"):
        CsvSource(tmp_path)


def test_a_name_with_spaces_becomes_a_folder_of_the_store(tmp_path):
    (tmp_path / "my BTC-USDT (1h).csv").touch()
    assert CsvSource(tmp_path / "my BTC-USDT (1h).csv").name == "csv-my-BTC-USDT-1h-"


# round trip: whatever the layout, the same candles


@dataclass(frozen=True, slots=True)
class Manner:
    """How one row is written."""

    unit: str
    date: str
    is_exchanged: bool
    is_twice: bool
    is_followed_by_nothing: bool
    has_trades: bool


MANNERS = st.builds(
    Manner,
    unit=st.sampled_from(["{seconds}", "{seconds}.0", "{seconds}000", "{seconds}000000"]),
    date=st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %I-%p", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M"]),
    is_exchanged=st.booleans(),
    is_twice=st.booleans(),
    is_followed_by_nothing=st.booleans(),
    has_trades=st.booleans(),
)
PRICES = st.tuples(
    st.integers(500, 9_000_000), st.integers(0, 99), st.integers(0, 99), st.integers(1, 10**12)
)


def written(candle: dict[str, float], manner: Manner) -> list[str]:
    time = candle["open_time"]
    volumes = [f"{candle['volume']:.8f}", f"{candle['quote_volume']:.8f}"]
    fields = [
        manner.unit.format(seconds=int(time.timestamp())),
        time.strftime(manner.date),
        "BTC/USDT",
        *(f"{candle[name]:.2f}" for name in ("open", "high", "low", "close")),
        *(reversed(volumes) if manner.is_exchanged else volumes),
        str(candle["trades"]) if manner.has_trades else "NULL",
    ]
    return [",".join(fields)] * (1 + manner.is_twice) + [""] * manner.is_followed_by_nothing


def candle_of(hour: int, price: tuple[int, int, int, int]) -> dict[str, float]:
    cents, up, down, volume = price
    open_, close = cents / 100, (cents + up - down) / 100
    base = volume / 10**8 + 0.01
    return {
        "open_time": START + timedelta(hours=hour),
        "open": open_,
        "high": (cents + up) / 100,
        "low": (cents - down) / 100,
        "close": close,
        "volume": round(base, 8),
        "quote_volume": round(base * cents / 100, 8),
        "trades": hour,
    }


@settings(max_examples=50)
@given(
    st.lists(st.tuples(PRICES, MANNERS), min_size=3, max_size=30),
    st.sampled_from(["", "https://www.CryptoDataDownload.com\n"]),
    st.booleans(),
)
def test_whatever_the_layout_the_same_candles_come_out(tmp_path_factory, content, banner, is_newest_first):
    candles = [candle_of(hour, price) for hour, (price, _) in enumerate(content)]
    blocks = [written(candle, manner) for candle, (_, manner) in zip(candles, content, strict=True)]
    ordered = blocks[::-1] if is_newest_first else blocks
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_text(banner + "\n".join([HEADER, *(line for block in ordered for line in block)]))
    told = [
        candle | {"trades": candle["trades"] if manner.has_trades else None}
        for candle, (_, manner) in zip(candles, content, strict=True)
    ]
    expected = pl.DataFrame(told, schema={name: FULL_SCHEMA[name] for name in candles[0]})
    found = read_csv_candles(path, NOW).candles.select(expected.columns)
    assert found.equals(expected.head(len(expected) - is_newest_first))


def test_windows_of_a_file_are_cut_at_open_times(tmp_path, bitcoin, hourly):
    whole = read(tmp_path, rows(9)).candles
    source = CsvSource(tmp_path / "some_file.csv")
    since, until = START + timedelta(hours=2), START + timedelta(hours=5, minutes=30)
    assert pl.concat(source.fetch(bitcoin, hourly, since, until)).equals(
        candles_between(whole, since, START + timedelta(hours=5))
    )
