from typing import Any

import pytest

from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.market.sources import SOURCES, ReplaySource, resolve_source
from make_us_rich.market.sources.exchange import ExchangeSource
from make_us_rich.settings import Settings


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None)


def test_every_kind_of_source_has_its_name(settings, tmp_path):
    assert resolve_source("simulated", settings).name == "simulated"
    assert resolve_source("simulated:7", settings).name == "simulated-7"
    assert isinstance(resolve_source(f"replay:{tmp_path}", settings), ReplaySource)
    assert isinstance(resolve_source("kraken", settings), ExchangeSource)
    (tmp_path / "BTC-USDT_1h.csv").touch()
    assert resolve_source(f"csv:{tmp_path}/BTC-USDT_1h.csv", settings).name == "csv-BTC-USDT_1h"
    assert [
        resolve_source(text, settings).market for text in ("simulated", f"replay:{tmp_path}", "binance")
    ] == [
        "simulated",
        "replay",
        "live",
    ]


def test_the_address_in_the_settings_is_for_the_default_exchange_only(exchange_server, hourly):
    settings = Settings(_env_file=None, exchange="binance", exchange_url=exchange_server.url)
    assert len(resolve_source("binance", settings).symbols(hourly)) == 25
    kraken: Any = resolve_source("kraken", settings)
    assert "kraken.com" in str(kraken._exchange.urls["api"])


@pytest.mark.parametrize("text", ["", "binanse", "SIMULATED", "simulated7", "alphavantage:x"])
def test_an_unknown_source_is_answered_with_the_ways_to_write_one(settings, text):
    with pytest.raises(
        UnknownNameError, match=r"is not known; .*write an exchange .*, replay:DIR, csv:FILE, alphav"
    ):
        resolve_source(text, settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("simulated:x", "seed 'x' is not a whole number"),
        ("simulated:-1", "seed '-1' is not a whole number"),
        ("replay", "write replay:DIR"),
        ("csv", "write csv:FILE"),
        ("csv:/no/such/file.csv", "does not exist"),
        ("alphavantage", "set MUR_ALPHAVANTAGE_KEY"),
        ("replay:/no/such/folder", "does not exist"),
    ],
)
def test_a_bad_argument_is_one_clear_line(settings, text, message):
    with pytest.raises(UsageError, match=message):
        resolve_source(text, settings)


def test_third_parties_bring_sources_through_an_entry_point(settings, install_package):
    source = (
        "from make_us_rich.market.sources import SimulatedSource\n"
        "def build(argument, settings): return SimulatedSource(seed=int(argument))\n"
    )
    install_package("plugged_source", {SOURCES.group: {"plugged": "plugged_source:build"}}, source)
    assert resolve_source("plugged:3", settings).name == "simulated-3"
    with pytest.raises(UnknownNameError, match=r"did you mean plugged\? .*simulated:SEED, plugged"):
        resolve_source("plugget", settings)


def test_the_key_of_a_provider_comes_from_the_settings_and_is_not_shown(monkeypatch, tmp_path):
    monkeypatch.setenv("MUR_ALPHAVANTAGE_KEY", "SECRETKEY123")
    settings = Settings(_env_file=None, home=tmp_path)
    assert resolve_source("alphavantage", settings).name == "alphavantage"
    assert "SECRETKEY123" not in repr(settings)


def test_what_was_asked_of_a_source_lies_under_the_home_of_the_desk(exchange_server, hourly, tmp_path):
    settings = Settings(_env_file=None, home=tmp_path, exchange_url=exchange_server.url)
    resolve_source("binance", settings).symbols(hourly)
    assert (tmp_path / "budgets" / "binance.json").is_file()
