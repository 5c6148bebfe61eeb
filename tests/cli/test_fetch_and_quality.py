from datetime import UTC, datetime

import polars as pl

from make_us_rich.market.candle import as_candles
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.workplace import Workplace

SIMULATED = ("fetch", "BTC/USDT", "--source", "simulated")


def test_fetch_says_what_it_stored_and_from_where(mur):
    answer = mur(*SIMULATED, "--since", "2024-01-01", "--until", "2024-01-11")
    assert answer.status == 0
    assert answer.out == (
        "BTC/USDT 1h from simulated (SIMULATED): 240 candles added, 240 stored, "
        "2024-01-01 00:00 to 2024-01-11 00:00 UTC.\n"
    )
    assert "Fetching BTC/USDT" in answer.err


def test_a_second_fetch_adds_only_what_is_new(mur):
    arguments = (*SIMULATED, "--json", "--since", "2024-01-01")
    assert mur(*arguments, "--until", "2024-01-11").record["series"][0]["added"] == 240
    (second,) = mur(*arguments, "--until", "2024-01-12").record["series"]
    assert (second["added"], second["total"], second["end"]) == (24, 264, "2024-01-12T00:00:00Z")


def test_several_symbols_make_one_json_object(mur):
    answer = mur("fetch", "BTC/USDT", "ETH/USDT", "--source", "simulated", "--since", "5d", "--json")
    assert [series["symbol"] for series in answer.record["series"]] == ["BTC/USDT", "ETH/USDT"]
    assert {series["market"] for series in answer.record["series"]} == {"simulated"}


def test_a_span_counts_back_from_until(mur):
    answer = mur(*SIMULATED, "--since", "36h", "--until", "2024-01-11", "--json")
    assert answer.record["series"][0]["first"] == "2024-01-09T12:00:00Z"


def test_a_replay_is_fetched_up_to_its_own_end(mur, candles_folder):
    source = f"replay:{candles_folder / 'BINANCE'}"
    (series,) = mur("fetch", "BTC/USDT", "--source", source, "--since", "10d", "--json").record["series"]
    assert (series["total"], series["end"]) == (240, "2026-04-30T04:00:00Z")
    assert (series["market"], series["source"]) == ("replay", "BINANCE")


def test_live_candles_come_from_the_exchange_of_the_settings(mur, exchange_server, monkeypatch):
    monkeypatch.setenv("MUR_EXCHANGE_URL", exchange_server.url)
    (series,) = mur("fetch", "BTC/USDT", "--since", "2026-04-01", "--until", "2026-04-29", "--json").record[
        "series"
    ]
    assert (series["market"], series["source"], series["total"]) == ("live", "binance", 28 * 24)


def test_repair_asks_again_for_a_gap(mur, settings, candles_folder):
    series = (Symbol("BTC", "USDT"), Timeframe("1h"))
    store = Workplace(settings, "replay").store()
    recorded = pl.read_parquet(candles_folder / "BINANCE" / "BTC-USDT" / "1h.parquet")
    april = recorded.filter(pl.col("open_time").dt.strftime("%Y-%m") == "2026-04").head(240)
    store.append(april.filter(pl.col("open_time").dt.hour() != 7), Series("BINANCE", *series))
    span = ("--since", "2026-04-01", "--until", "2026-04-11")

    source = f"replay:{candles_folder / 'BINANCE'}"
    (plain,) = mur("fetch", "BTC/USDT", "--source", source, *span, "--json").record["series"]
    (repaired,) = mur("fetch", "BTC/USDT", "--source", source, *span, "--repair", "--json").record["series"]
    assert (plain["added"], repaired["added"], repaired["total"]) == (0, 10, 240)
    assert store.load(Series("BINANCE", *series)).equals(as_candles(april))


def test_quality_counts_and_judges(mur, candles_folder):
    source = f"replay:{candles_folder / 'BINANCE'}"
    mur("fetch", "BTC/USDT", "--source", source, "--since", "2023-03-01", "--until", "2023-04-01")
    record = mur("quality", "BTC/USDT", "--market", "replay", "--json").record
    assert (record["expected"], record["missing"], record["zero_volume"]["count"]) == (744, 1, 1)
    assert record["gaps"] == [{"after": "2023-03-24T12:00:00Z", "missing": 1}]
    assert (record["is_fit"], record["verdict"]) == (True, "fit to train on")
    text = mur("quality", "BTC/USDT", "--market", "replay").out
    assert "gap: 1 missing after 2023-03-24 12:00" in text


def test_the_market_in_use_is_the_one_that_holds_candles(mur):
    mur(*SIMULATED, "--since", "5d")
    assert mur("quality", "BTC/USDT", "--json").record["market"] == "simulated"


def test_simulated_candles_end_where_the_present_does(mur):
    answer = mur(*SIMULATED, "--since", "2d", "--until", "2999-01-01", "--json")
    (series,) = answer.record["series"]
    assert datetime.fromisoformat(series["end"]) <= datetime.now(UTC)
