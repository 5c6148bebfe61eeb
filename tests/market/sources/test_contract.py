"""Every registered source keeps the contract, each on something small of its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from make_us_rich.market.sources import SOURCES, CandleSource, resolve_source
from make_us_rich.market.sources.alpha_vantage import AlphaVantageSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Settings
from make_us_rich.testing import check_candle_source
from provider_server import Day, ProviderServer, documented_answer

DAILY = Timeframe("1d")
EUROS = Symbol("BTC", "EUR")  # what Alpha Vantage is asked for
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def build(tmp_path: Path, make_candles: Callable) -> Iterator[Callable[[str], CandleSource]]:
    """Return a function that builds the source of a name with forty days."""
    days, settings = make_candles(40, FIRST, "1d"), Settings(_env_file=None)
    (tmp_path / "BTC-USDT").mkdir()
    days.write_parquet(tmp_path / "BTC-USDT" / "1d.parquet")
    days.write_csv(tmp_path / "BTC-USDT_1d.csv")
    texts = {
        "simulated": "simulated",
        "replay": f"replay:{tmp_path}",
        "csv": f"csv:{tmp_path / 'BTC-USDT_1d.csv'}",
    }
    with ProviderServer() as provider:
        rows = [
            Day(date(2024, 1, 1) + timedelta(days=i), *(f"{value:.8f}" for value in row[1:]))
            for i, row in enumerate(days.iter_rows())
        ]
        provider.answers["BTC", "EUR"] = documented_answer("BTC", "EUR", rows)

        def built(name: str) -> CandleSource:
            if name == "alphavantage":
                return AlphaVantageSource("KEY", budgets=tmp_path / "budgets", url=provider.url)
            return resolve_source(texts[name], settings)

        yield built


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_keeps_the_contract(name: str, build: Callable[[str], CandleSource]) -> None:
    pair = EUROS if name == "alphavantage" else Symbol("BTC", "USDT")
    check_candle_source(build(name), pair, DAILY, FIRST, FIRST + timedelta(days=30))
