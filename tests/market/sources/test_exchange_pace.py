from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ccxt
import pytest

from exchange_server import ExchangeServer, Fault
from make_us_rich.errors import SourceUnavailableError
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.sources.exchange import ExchangeSource
from make_us_rich.market.sources.status import Remark, SourceStatus, source_status
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

SINCE = datetime(2026, 4, 28, tzinfo=UTC)


@pytest.fixture
def clock(exchange_server: ExchangeServer) -> ReplayClock:
    """A clock that jumps where somebody sleeps; the exchange counts its minutes by it too."""
    clock = ReplayClock(exchange_server.now, exchange_server.now + timedelta(days=1), speed=None)
    exchange_server.seconds = lambda: clock.now().timestamp()
    return clock


@pytest.fixture
def make_source(
    exchange_server: ExchangeServer, clock: ReplayClock, tmp_path: Path
) -> Callable[[], ExchangeSource]:
    """Return a function that builds a source as another process of the same desk would."""
    return lambda: ExchangeSource(
        "binance", url=exchange_server.url, clock=clock, budgets=tmp_path / "budgets"
    )


def fetch_days(source: ExchangeSource, days: int) -> int:
    pages = source.fetch(Symbol("BTC", "USDT"), Timeframe("1h"), SINCE, SINCE + timedelta(days=days))
    return sum(len(page) for page in pages)


def test_the_weight_of_every_request_is_booked_and_the_rest_is_visible(make_source, exchange_server):
    source = make_source()
    fetch_days(source, 1)
    (reading,) = source.status().budget
    assert (reading.limit, reading.used) == (6000, exchange_server.used_weight) == (6000, 20 + 1 + 2)
    assert source.status().sentences() == ["binance: 5,977 of 6,000 request weight left this minute"]


def test_a_second_process_knows_what_the_first_has_used(make_source, exchange_server):
    first, second = make_source(), make_source()
    fetch_days(first, 1)
    assert second.status().budget == first.status().budget
    fetch_days(second, 1)
    assert first.status().budget[0].used == exchange_server.used_weight == 46


def test_processes_together_stay_under_the_limit_of_the_exchange(make_source, exchange_server, clock):
    exchange_server.weight_limit = 100
    sources = [make_source(), make_source()]
    began = clock.now()
    for _ in range(25):
        for source in sources:
            assert fetch_days(source, 1) == 24
    assert exchange_server.refused == 0
    assert max(exchange_server.used.values()) <= 100
    assert sum(exchange_server.used.values()) == 2 * 20 + 50 * 3
    assert timedelta(minutes=1) <= clock.now() - began <= timedelta(minutes=4), "the pace is used, not wasted"


def test_weight_that_others_use_at_the_same_address_counts(make_source, exchange_server):
    source = make_source()
    fetch_days(source, 1)
    minute = int(exchange_server.seconds() // 60)
    exchange_server.used[minute] += 3000
    fetch_days(source, 1)
    assert source.status().budget[0].remaining == pytest.approx(6000 - 3026, abs=1)


def test_a_pause_asked_of_one_process_is_kept_by_all(make_source, exchange_server):
    first, second = make_source(), make_source()
    assert [fetch_days(source, 1) for source in (first, second)] == [24, 24]
    exchange_server.fail_next(Fault(status=418, retry_after="7200"))
    with pytest.raises(SourceUnavailableError, match="binance asks for a pause of 7200 s"):
        fetch_days(first, 1)
    asked = len(exchange_server.requests)
    with pytest.raises(SourceUnavailableError, match="binance: the source asked for a pause"):
        fetch_days(second, 1)
    assert len(exchange_server.requests) == asked, "a desk that is banned does not knock"


def test_a_short_pause_is_waited_for_once(make_source, exchange_server, clock):
    source = make_source()
    fetch_days(source, 1)
    began = clock.now()
    exchange_server.fail_next(Fault(status=429, retry_after="30"))
    assert fetch_days(source, 1) == 24
    assert timedelta(seconds=30) <= clock.now() - began < timedelta(seconds=31)


def test_an_exchange_that_states_no_limit_is_asked_at_the_rate_ccxt_knows(exchange_server, clock, tmp_path):
    kraken = ExchangeSource("kraken", url=exchange_server.url, clock=clock, budgets=tmp_path)
    (reading,) = kraken.status().budget
    assert reading.limit == pytest.approx(60_000 / kraken._exchange.rateLimit)
    assert str(reading).startswith("kraken: ")


def test_every_exchange_ccxt_knows_can_be_named(tmp_path):
    for name in ccxt.exchanges:
        source = ExchangeSource(name, url="http://127.0.0.1:1", budgets=tmp_path)
        assert source.name == name
        assert "http://127.0.0.1:1" in str(source._exchange.urls["api"])


def test_a_source_without_a_status_has_an_empty_one():
    assert source_status(object()) == SourceStatus()
    assert SourceStatus().to_dict() == {"budget": [], "clock_offset_seconds": None, "remarks": []}


def test_a_remark_names_the_first_lines_and_counts_the_rest():
    assert str(Remark("said twice", (7,))) == "said twice: line 7"
    assert str(Remark("said twice", tuple(range(1, 11)))) == (
        "said twice: lines 1, 2, 3, 4, 5, 6, 7, 8 and 2 more"
    )
    assert str(Remark("newest first")) == "newest first"
