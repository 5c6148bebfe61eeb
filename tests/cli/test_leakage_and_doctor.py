import re
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from make_us_rich.evaluation.leakage import check_leakage
from make_us_rich.evaluation.model_inputs import price_model_inputs
from make_us_rich.features.feature_set import FEATURES
from make_us_rich.operations.leaks import check_everything, with_activity
from make_us_rich.operations.workplace import Workplace
from make_us_rich.testing.artifacts import toy_draft


def test_our_own_columns_do_not_look_at_the_future(mur):
    answer = mur("leakage")
    assert answer.status == 0, answer.out
    assert answer.out.startswith("No leak: ")


def test_a_planted_leak_is_named_with_what_to_do(mur):
    def tomorrow(candles, _timeframe):
        return candles.select(close_tomorrow=pl.col("close").shift(-24))

    with FEATURES.offering("tomorrow", tomorrow):
        answer = mur("leakage", "--json")
    assert answer.status == 1
    (leak,) = answer.record["leaks"]
    assert leak["column"] == "close_tomorrow"
    assert "no negative shift" in leak["advice"]


def test_stored_candles_can_be_checked(mur, candles_folder):
    mur("fetch", "BTC/USDT", "--source", f"replay:{candles_folder / 'BINANCE'}", "--since", "200d")
    record = mur("leakage", "BTC/USDT", "--market", "replay", "--json").record
    assert (record["candles"], record["is_clean"]) == ("replay BTC/USDT 1h", True)


def test_the_optional_inputs_are_checked_too_whether_the_source_tells_them_or_not(
    bitcoin_hours, candles_folder, hourly
):
    recorded = pl.read_parquet(candles_folder / "BINANCE" / "BTC-USDT" / "1h.parquet").head(3000)
    for known in (bitcoin_hours.head(3000), recorded):
        report = check_everything(known, hourly)
        assert report.is_clean
        assert {"step.taker_one_sidedness", "context.market_volatility_week"} < set(report.columns)


@pytest.mark.parametrize("column", ["taker_buy_base", "trades", "market_variance"])
def test_an_activity_of_the_next_candle_is_caught(column, bitcoin_hours, hourly):
    inputs = price_model_inputs(hourly, ("taker_share", "trades", "market_volatility"))
    ahead = pl.col(column).shift(-1).fill_null(strategy="forward")
    report = check_leakage(
        lambda rows: inputs(rows.with_columns(ahead)),
        with_activity(bitcoin_hours.head(3000)),
        hourly,
        warm_up=768,
    )
    assert report.leaks
    assert all(leak.column.split(".")[1].startswith(("taker", "trades", "market")) for leak in report.leaks)


@pytest.fixture
def answering_exchange(exchange_server, monkeypatch):
    exchange_server.now = None  # the time of this machine
    monkeypatch.setenv("MUR_EXCHANGE_URL", exchange_server.url)
    return exchange_server


def verdicts(answer):
    return {check["name"]: check["verdict"] for check in answer.record["checks"]}


def test_a_healthy_desk_is_all_ok(mur, answering_exchange, simulated_year):
    answer = mur("doctor", "--json")
    assert answer.status == 0
    assert verdicts(answer) == {
        "home": "ok",
        "training": "ok",
        "simulated simulated BTC/USDT 1h": "ok",
        "exchange": "ok",
    }


def test_the_exchange_tells_its_clock_and_what_may_still_be_asked(mur, answering_exchange):
    says = {check["name"]: check["says"] for check in mur("doctor", "--json").record["checks"]}["exchange"]
    assert re.search(r"its clock is [+-]0\.[01] s from ours", says)
    assert says.endswith("binance: 5,979 of 6,000 request weight left this minute")
    answering_exchange.now = datetime.now(UTC) - timedelta(minutes=5)
    answer = mur("doctor")
    assert "warning  exchange: binance answers, its clock is -300." in answer.out
    assert "set the time of this machine" in answer.out


def test_an_exchange_that_is_away_is_a_warning(mur, monkeypatch):
    monkeypatch.setenv("MUR_EXCHANGE_URL", "http://127.0.0.1:9")
    answer = mur("doctor")
    assert answer.status == 0
    assert "warning  exchange: binance did not answer" in answer.out


def test_a_served_model_that_is_broken_fails_the_check(mur, answering_exchange, settings):
    shelf = Workplace(settings, "replay").shelf()
    shelf.shelve(toy_draft())
    shelf.promote("price.BTC-USDT.1h", 1, "test", datetime(2024, 3, 2, tzinfo=UTC))
    golden = shelf.folder("price.BTC-USDT.1h", 1) / "golden.npz"
    golden.write_bytes(golden.read_bytes() + np.uint8(0).tobytes())
    answer = mur("doctor", "--json")
    assert answer.status == 1
    assert verdicts(answer)["price.BTC-USDT.1h"] == "failed"


def test_a_broken_store_does_not_hide_the_other_checks(mur, answering_exchange, home):
    mur("fetch", "BTC/USDT", "--source", "simulated", "--since", "5d")
    (home / "simulated" / "candles" / "store.json").write_text("{")
    answer = mur("doctor", "--json")
    assert answer.status == 1
    assert verdicts(answer)["simulated candles"] == "failed"
    assert verdicts(answer)["exchange"] == "ok"
