import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from make_us_rich.errors import DataError, GapError, NotEnoughHistoryError
from make_us_rich.market.candle import CANDLE_SCHEMA, is_impossible, no_candles
from make_us_rich.market.quality import Gap, QualityReport, check_quality, fill_gaps, require_fit
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 12, 1, tzinfo=UTC)
DEFECTS = ("duplicate", "out_of_order", "off_grid", "impossible", "zero_volume", "extreme", "future")


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def check(candles: pl.DataFrame, now: datetime = NOW) -> QualityReport:
    return check_quality(candles, Symbol("BTC", "USDT"), Timeframe("1h"), now)


def with_value(candles: pl.DataFrame, row: int, **values: float) -> pl.DataFrame:
    at_row = pl.int_range(pl.len()) == row
    return candles.with_columns(
        pl.when(at_row).then(pl.lit(value)).otherwise(name).cast(CANDLE_SCHEMA[name]).alias(name)
        for name, value in values.items()
    )


def shifted(candles: pl.DataFrame, row: int, by: timedelta) -> pl.DataFrame:
    at_row = pl.int_range(pl.len()) == row
    return candles.with_columns(
        pl.when(at_row).then(pl.col("open_time") + by).otherwise("open_time").alias("open_time")
    )


def defects(report: QualityReport) -> dict[str, list[datetime]]:
    findings = {name: getattr(report, name) for name in DEFECTS}
    assert all(finding.count == len(finding.open_times) for finding in findings.values())
    return {name: list(finding.open_times) for name, finding in findings.items() if finding.count}


def test_a_clean_series_has_no_findings(make_candles):
    report = check(make_candles(100))
    assert defects(report) == {}
    assert (report.first, report.last, report.expected, report.present) == (START, hour(99), 100, 100)
    assert (report.missing, report.gaps, report.missing_share) == (0, (), 0.0)
    require_fit(report)


def test_gaps_are_counted_and_located(make_candles):
    candles = make_candles(100)
    report = check(pl.concat([candles[:10], candles[11:50], candles[55:]]))
    assert report.gaps == (Gap(hour(9), 1), Gap(hour(49), 5))
    assert (report.expected, report.present, report.missing) == (100, 94, 6)
    assert report.largest_gap == Gap(hour(49), 5)
    assert report.missing_share == pytest.approx(0.06)


def test_each_defect_is_found_where_it_is(make_candles):
    candles = make_candles(100)
    assert defects(check(pl.concat([candles[:5], candles[4:]]))) == {"duplicate": [hour(4)]}
    swapped = pl.concat([candles[:5], candles[6:7], candles[5:6], candles[7:]])
    assert defects(check(swapped)) == {"out_of_order": [hour(5)]}
    assert defects(check(shifted(candles, 7, timedelta(minutes=1)))) == {"off_grid": [hour(7 + 1 / 60)]}
    assert defects(check(with_value(candles, 8, close=float("nan")))) == {"impossible": [hour(8)]}
    assert defects(check(with_value(candles, 8, low=-3.0))) == {"impossible": [hour(8)]}
    assert defects(check(with_value(candles, 9, volume=0.0))) == {"zero_volume": [hour(9)]}
    assert defects(check(with_value(candles, 9, low=0.01))) == {"extreme": [hour(9)]}
    assert defects(check(candles, now=hour(99.5))) == {"future": [hour(99)]}


def test_only_the_first_few_places_are_listed(make_candles):
    report = check(make_candles(100).with_columns(volume=0.0))
    assert report.zero_volume.count == 100
    assert report.zero_volume.open_times == tuple(hour(number) for number in range(5))


def test_real_candles_have_the_defects_their_readme_names(bitcoin_hours):
    report = check(bitcoin_hours, now=datetime(2026, 5, 1, tzinfo=UTC))
    assert report.gaps == (Gap(datetime(2023, 3, 24, 12, tzinfo=UTC), 1),)
    assert defects(report) == {"zero_volume": [datetime(2023, 3, 24, 12, tzinfo=UTC)]}
    require_fit(report)


def test_a_known_false_price_is_reported_as_extreme_and_not_refused(candles_folder):
    days = pl.read_parquet(candles_folder / "BINANCE" / "LINK-USDT" / "1d.parquet")
    report = check_quality(days, Symbol("LINK", "USDT"), Timeframe("1d"), datetime(2026, 5, 1, tzinfo=UTC))
    assert datetime(2020, 3, 12, tzinfo=UTC) in report.extreme.open_times
    require_fit(report)


def test_a_market_that_hardly_trades_is_not_extreme_when_it_does(make_candles):
    flat = pl.int_range(pl.len()) % 10 != 0
    close = pl.col("close")
    quiet = make_candles(100).with_columns(
        pl.when(flat).then(close).otherwise(name).alias(name) for name in ("open", "high", "low")
    )
    assert check(quiet).extreme.count == 0


def test_a_report_becomes_json(make_candles):
    candles = make_candles(10)
    plain = check(pl.concat([candles[:4], candles[6:]])).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["symbol"] == "BTC/USDT"
    assert plain["gaps"] == [{"after": "2024-01-01T03:00:00Z", "missing": 2}]
    assert plain["impossible"] == {"count": 0, "open_times": []}


def test_no_candles_are_no_report_to_learn_from():
    report = check(no_candles())
    assert (report.first, report.last, report.expected) == (None, None, 0)
    with pytest.raises(
        NotEnoughHistoryError, match="BTC/USDT 1h: no candles; run `mur fetch BTC/USDT` first"
    ):
        require_fit(report)


@pytest.mark.parametrize(("timeframe", "longest"), [("5m", 48), ("1h", 48), ("4h", 18), ("1d", 3)])
def test_a_gap_is_measured_in_candles_and_in_days(make_candles, timeframe, longest):
    candles, length = make_candles(8000, step=timeframe), Timeframe(timeframe)
    now = candles["open_time"].item(-1) + length.duration
    for missing in (longest, longest + 1):
        holed = pl.concat([candles[:100], candles[100 + missing :]])
        report = check_quality(holed, Symbol("BTC", "USDT"), length, now)
        with pytest.raises(GapError) if missing > longest else nullcontext():
            require_fit(report)


def test_a_gap_above_the_limit_is_refused_with_its_place_and_the_way_out(make_candles):
    candles = make_candles(8000)
    require_fit(check(pl.concat([candles[:100], candles[148:]])))
    with pytest.raises(GapError) as caught:
        require_fit(check(pl.concat([candles[:100], candles[149:]])))
    assert str(caught.value) == (
        "BTC/USDT 1h: 49 candles missing after 2024-01-05 03:00, more than the 48 that may be filled; "
        "run `mur fetch BTC/USDT --timeframe 1h --repair`, or start after it with --since"
    )


def test_many_small_gaps_are_refused_above_a_share(make_candles):
    candles = make_candles(1000)
    require_fit(check(candles.filter(pl.int_range(pl.len()) % 100 != 50)))
    with pytest.raises(
        GapError, match=r"20 of 1000 candles missing \(2\.0%\), more than 1\.0%; run `mur fetch"
    ):
        require_fit(check(candles.filter(pl.int_range(pl.len()) % 50 != 25)))
    require_fit(check(candles.filter(pl.int_range(pl.len()) % 50 != 25)), max_missing_share=0.02)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda candles: with_value(candles, 8, close=float("nan")), "1 candle with impossible values"),
        (lambda candles: with_value(candles, 8, open=-5.0, low=-5.0), "1 candle with impossible values"),
        (lambda candles: pl.concat([candles[:9], candles[8:]]), "1 candle more than once"),
        (lambda candles: candles.reverse(), "99 candles out of order"),
        (lambda candles: shifted(candles, 8, timedelta(minutes=1)), "1 candle off the 1h grid"),
        (
            lambda candles: shifted(candles, 99, timedelta(days=400)),
            "1 candle not closed yet, or .* in the future",
        ),
    ],
)
def test_bad_candles_are_refused_in_one_line_that_names_the_first(make_candles, spoil, message):
    with pytest.raises(DataError, match=f"BTC/USDT 1h: {message}.*, first 20.*; run `mur fetch") as caught:
        require_fit(check(spoil(make_candles(100))))
    assert "\n" not in str(caught.value)


def test_a_missing_candle_is_flat_at_the_previous_close_with_no_volume(make_candles, hourly):
    candles = make_candles(5)
    filled = fill_gaps(pl.concat([candles[:2], candles[4:]]), hourly)
    assert filled["filled"].to_list() == [False, False, True, True, False]
    assert filled.drop("filled").filter(~filled["filled"]).equals(pl.concat([candles[:2], candles[4:]]))
    close = candles["close"].item(1)
    assert filled.row(2) == (hour(2), close, close, close, close, 0.0, True)
    assert filled.row(3) == (hour(3), close, close, close, close, 0.0, True)


def test_in_a_filled_candle_nothing_was_traded_unless_the_source_never_tells(
    make_candles, with_trades, hourly
):
    candles = with_trades(make_candles(9)).with_columns(
        trades=pl.when(pl.int_range(pl.len()) < 4).then("trades")
    )
    filled = fill_gaps(pl.concat([candles[:2], candles[4:6], candles[7:]]), hourly)
    assert filled["trades"].to_list() == [1000, 1001, 0, 0] + [None] * 5
    assert filled["quote_volume"].to_list()[2:4] == [0.0, 0.0]
    assert filled["quote_volume"].null_count() == 0


def test_an_impossible_candle_counts_as_missing_so_that_no_nan_reaches_a_model(make_candles, hourly):
    candles = with_value(make_candles(5), 2, low=float("nan"))
    filled = fill_gaps(candles, hourly)
    assert filled["filled"].to_list() == [False, False, True, False, False]
    assert not filled.select(is_impossible().any()).item()


def test_filling_twice_or_filling_nothing_changes_nothing(make_candles, hourly):
    candles = make_candles(30)
    assert fill_gaps(candles, hourly).drop("filled").equals(candles)
    once = fill_gaps(pl.concat([candles[:3], candles[9:]]), hourly).drop("filled")
    assert fill_gaps(once, hourly).drop("filled").equals(once)
    assert fill_gaps(no_candles(), hourly).is_empty()


def test_a_filled_series_has_no_gap_left(bitcoin_hours, hourly):
    filled = fill_gaps(bitcoin_hours, hourly)
    assert filled["filled"].sum() == 1
    assert check(filled, now=datetime(2026, 5, 1, tzinfo=UTC)).missing == 0
