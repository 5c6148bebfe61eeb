"""`mur fetch` from every kind of source, and what it says beside the candles."""

from datetime import UTC, datetime

import pytest

from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.workplace import Workplace

HOURS = (Symbol("BTC", "USDT"), Timeframe("1h"))
APRIL = ("--since", "2026-04-01", "--until", "2026-04-11")


@pytest.fixture
def exchange(exchange_server, monkeypatch):
    exchange_server.now = datetime(2026, 4, 30, tzinfo=UTC)
    monkeypatch.setenv("MUR_EXCHANGE_URL", exchange_server.url)
    return exchange_server


def test_an_exchange_says_what_may_still_be_asked(mur, exchange):
    answer = mur("fetch", "BTC/USDT", *APRIL, "--json")
    (budget,) = answer.record["status"]["budget"]
    assert (budget["limit"], budget["remaining"]) == (6000, 6000 - exchange.used_weight)
    assert f"binance: {6000 - exchange.used_weight:,} of 6,000 request weight left this minute" in answer.err


def test_a_second_command_spends_from_the_same_budget(mur, exchange):
    first = mur("fetch", "BTC/USDT", *APRIL, "--json").record["status"]["budget"][0]
    second = mur("fetch", "ETH/USDT", *APRIL, "--json").record["status"]["budget"][0]
    assert second["used"] == 2 * first["used"] == exchange.used_weight


def test_a_wrong_clock_is_told(mur, exchange):
    answer = mur("fetch", "BTC/USDT", *APRIL, "--json")
    assert answer.record["status"]["clock_offset_seconds"] < -86_400
    assert "the clock of this machine is" in answer.err


def test_repair_closes_a_gap_once_the_exchange_has_the_hour(mur, settings, exchange):
    exchange.hidden = {datetime(2026, 4, 3, 7, tzinfo=UTC)}
    mur("fetch", "BTC/USDT", *APRIL)
    assert mur("quality", "BTC/USDT", "--json").record["missing"] == 1
    exchange.hidden.clear()
    (plain,) = mur("fetch", "BTC/USDT", *APRIL, "--json").record["series"]
    (repaired,) = mur("fetch", "BTC/USDT", *APRIL, "--repair", "--json").record["series"]
    assert (plain["added"], repaired["added"], repaired["total"]) == (0, 1, 240)
    assert mur("quality", "BTC/USDT", "--json").record["missing"] == 0
    stored = Workplace(settings, "live").store().load_full(Series("binance", *HOURS))
    assert stored.null_count().sum_horizontal().item() == 0


def test_a_csv_file_is_fetched_to_its_own_end_with_its_remarks(mur, candles_folder):
    file = candles_folder.parent / "samples" / "cryptodatadownload_Binance_BTCUSDT_1h_mixed_timestamps.csv"
    answer = mur("fetch", "BTC/USDT", "--source", f"csv:{file}", "--since", "60d", "--json")
    (series,) = answer.record["series"]
    assert (series["market"], series["end"]) == ("replay", "2021-01-01T03:00:00Z")
    remarks = {remark["text"]: remark["lines"] for remark in answer.record["status"]["remarks"]}
    assert remarks["different values for the same time, none of them used"] == [1001, 1002, 1513, 1514]
    assert "none of them used: lines 1001, 1002, 1513, 1514" in answer.err


@pytest.mark.parametrize(
    ("source", "status", "line"),
    [
        ("csv", 2, "csv needs a file; write csv:FILE"),
        ("csv:no-such-file.csv", 2, "CSV file no-such-file.csv does not exist; write csv:FILE"),
        (
            "alphavantage",
            2,
            "alphavantage needs a key; set MUR_ALPHAVANTAGE_KEY to the one the provider gave",
        ),
    ],
)
def test_a_source_that_cannot_be_used_is_one_clear_line(mur, source, status, line):
    answer = mur("fetch", "BTC/USDT", "--source", source)
    assert (answer.status, answer.line) == (status, line)


def test_the_key_is_in_no_word_a_command_says(mur, monkeypatch):
    monkeypatch.setenv("MUR_ALPHAVANTAGE_KEY", "SECRETKEY123")
    answer = mur("fetch", "BTC/USD", "--source", "alphavantage", "--timeframe", "1h")
    assert (answer.status, answer.line) == (
        2,
        "alphavantage has no candles of 1h; choose one of 1d",
    )
    assert "SECRETKEY123" not in answer.out + answer.err
