import json
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from make_us_rich.errors import DataError, UnknownNameError
from make_us_rich.features.indicator_table import (
    IndicatorAgreement,
    compare_indicators,
    read_indicator_tables,
)

DAYS = ("2024-01-03", "2024-01-02", "2024-01-01")  # the provider's newest day comes first


@pytest.fixture
def write(tmp_path):
    def save(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return save


def answer(function, rows, **about):
    return {
        "Meta Data": {"1: Symbol": "BTCUSDT", "4: Interval": "daily", **about},
        f"Technical Analysis: {function}": dict(zip(DAYS, rows, strict=True)),
    }


def test_json_is_read_with_its_period(write):
    rows = [{"ADX": "30.5"}, {"ADX": "20.5"}, {"ADX": "10.5"}]
    table = read_indicator_tables([write("adx.json", answer("ADX", rows, **{"5: Time Period": 7}))])
    assert table.columns == ["open_time", "7_day_ADX"]
    assert table["7_day_ADX"].to_list() == [10.5, 20.5, 30.5]
    assert table["open_time"][0] == datetime(2024, 1, 1, tzinfo=UTC)


def test_another_period_is_another_indicator(write):
    rows = [{"ADX": "30.5"}, {"ADX": "20.5"}, {"ADX": "10.5"}]
    table = read_indicator_tables([write("adx.json", answer("ADX", rows, **{"5: Time Period": 14}))])
    assert table.columns == ["open_time"]


def test_csv_is_read_with_the_period_of_the_recipe(write):
    text = "time,Aroon Down,Aroon Up\n2024-01-02,42.8571,100.0\n2024-01-01,57.1429,85.7143\n"
    table = read_indicator_tables([write("aroon.csv", text)])
    assert table.rows() == [
        (datetime(2024, 1, 1, tzinfo=UTC), 57.1429, 85.7143),
        (datetime(2024, 1, 2, tzinfo=UTC), 42.8571, 100.0),
    ]


def test_several_tables_make_the_recipes_columns(write):
    averages = [
        write(f"sma{days}.json", answer("SMA", [{"SMA": value}] * 3, **{"5: Time Period": days}))
        for days, value in ((2, "110"), (10, "100"), (20, "80"))
    ]
    bands = answer(
        "BBANDS", [{"Real Upper Band": "120", "Real Middle Band": "100", "Real Lower Band": "80"}] * 3
    )
    trix = answer("TRIX", [{"TRIX": "0.5"}] * 3, **{"5: Time Period": 7})
    tables = [*averages, write("bands.json", bands), write("trix.json", trix)]
    assert read_indicator_tables(tables).row(0, named=True) == {
        "open_time": datetime(2024, 1, 1, tzinfo=UTC),
        "7_day_TRIX": 50.0,
        "BBANDS_distance_pct": pytest.approx(50),
        "2_day_SMA_10_day_SMA_pct_diff": pytest.approx(10),
        "2_day_SMA_20_day_SMA_pct_diff": pytest.approx(37.5),
        "10_day_SMA_20_day_SMA_pct_diff": pytest.approx(25),
    }


def test_running_sums_become_changes_from_one_day_to_the_next(write):
    text = "time,OBV\n2024-01-05,9\n2024-01-03,3\n2024-01-02,-2\n2024-01-01,-1\n"
    table = read_indicator_tables([write("obv.csv", text)])
    # -1 to -2 is +100 %, -2 to 3 is -250 % and held at the bound, and the 4th is missing
    assert table["OBV_pct_change"].to_list() == [None, 100.0, -100.0, None]


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        ({"Information": "the limit of 25 requests is reached"}, "it says 'the limit of 25 requests"),
        (answer("ADX", [{"ADX": "1"}] * 3, **{"4: Interval": "weekly"}), "its interval is 'weekly'"),
        (answer("ADX", [{"ADX": "many"}] * 3), "not a daily indicator table"),
        ("time,ADX\n", "it has no rows"),
        ("day,ADX\n2024-01-01,1\n", "its first column is not 'time'"),
        ("time,ADX\n2024-01-01 16:00,1\n", "not a daily indicator table"),
        ("{", "not a daily indicator table"),
    ],
)
def test_a_file_laid_out_otherwise_is_refused_in_one_line(write, content, finding):
    with pytest.raises(DataError) as refusal:
        read_indicator_tables([write("table", content)])
    assert finding in str(refusal.value)
    assert "download it again" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match=r"gone\.csv does not exist"):
        read_indicator_tables([tmp_path / "gone.csv"])


def days_from(first: int, columns: dict) -> pl.DataFrame:
    count = len(next(iter(columns.values())))
    times = [datetime(2024, 1, first + i, tzinfo=UTC) for i in range(count)]
    return pl.DataFrame({"open_time": times, **columns})


def test_tables_are_compared_on_the_days_both_tell():
    ours = days_from(1, {"PPO": [None, 1.0, 2.0, 3.0], "MACD": [1.0] * 4})
    theirs = days_from(2, {"PPO": [1.5, 2.5, 3.5, 9.0], "MACD": [1.0] * 4, "SlowK": [1.0] * 4})
    assert compare_indicators(ours, theirs) == [
        IndicatorAgreement("MACD", 3, 0.0, None),
        IndicatorAgreement("PPO", 3, 0.5, pytest.approx(1.0)),
    ]


def test_days_that_do_not_meet_have_nothing_to_compare():
    values = {"PPO": np.ones(3)}
    assert compare_indicators(days_from(1, values), days_from(10, values)) == []
