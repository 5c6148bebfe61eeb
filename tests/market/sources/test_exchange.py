import threading
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from structlog.testing import capture_logs

from exchange_server import ExchangeServer, Fault
from make_us_rich.errors import SourceError, SourceUnavailableError, UnknownNameError
from make_us_rich.market.candle import FULL_SCHEMA, as_candles, as_full_candles, candles_between
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.feed import repair_candles, update_candles
from make_us_rich.market.quality import Gap, check_quality
from make_us_rich.market.series import Series
from make_us_rich.market.sources.exchange import ExchangeSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing import check_candle_source

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
LATER = datetime(2026, 5, 10, tzinfo=UTC)


class NappingClock(ReplayClock):
    """Stands still, jumps where somebody sleeps, and remembers how long that would have been."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now, now + timedelta(days=1), speed=None)
        self.naps: list[float] = []

    def sleep_until(self, moment: datetime, stop: threading.Event) -> bool:
        self.naps.append((moment - self.now()).total_seconds())
        return super().sleep_until(moment, stop)


@pytest.fixture
def clock(exchange_server: ExchangeServer) -> NappingClock:
    """The clock of this machine, which agrees with the exchange's until somebody sleeps."""
    return NappingClock(exchange_server.now)


@pytest.fixture
def naps(clock: NappingClock) -> list[float]:
    return clock.naps


@pytest.fixture
def source(exchange_server: ExchangeServer, clock: NappingClock) -> ExchangeSource:
    return ExchangeSource("binance", url=exchange_server.url, timeout_seconds=2, clock=clock)


def fetch(source: ExchangeSource, since: datetime, until: datetime = LATER) -> pl.DataFrame:
    return pl.concat(source.fetch(Symbol("BTC", "USDT"), Timeframe("1h"), since, until))


def test_an_exchange_keeps_the_contract_of_a_source(source, bitcoin, hourly):
    check_candle_source(source, bitcoin, hourly, APRIL, APRIL + timedelta(days=5))


def test_candles_through_ccxt_equal_the_recorded_ones(source, bitcoin_hours):
    assert as_candles(fetch(source, APRIL)).equals(
        candles_between(bitcoin_hours, APRIL, datetime(2026, 4, 30, 2, tzinfo=UTC))
    )


def test_all_that_was_traded_is_taken_from_the_answer(source, candles_folder):
    recorded = pl.read_parquet(candles_folder / "BINANCE" / "BTC-USDT" / "1h.parquet")
    april = candles_between(recorded, APRIL, datetime(2026, 4, 30, 2, tzinfo=UTC))
    assert fetch(source, APRIL).equals(as_full_candles(april))
    assert fetch(source, APRIL).null_count().sum_horizontal().item() == 0


def test_an_answer_that_does_not_tell_what_was_traded_still_holds_candles(
    source, exchange_server, monkeypatch
):
    whole = exchange_server._klines
    monkeypatch.setattr(exchange_server, "_klines", lambda asked: (200, [row[:6] for row in whole(asked)[1]]))
    candles = fetch(source, APRIL, APRIL + timedelta(days=1))
    assert candles.schema == FULL_SCHEMA
    assert (len(candles), candles["trades"].null_count()) == (24, 24)


def test_another_exchange_of_the_same_language_is_asked_by_its_name(exchange_server, clock):
    sister = ExchangeSource("binanceus", url=exchange_server.url, clock=clock)
    assert fetch(sister, APRIL, APRIL + timedelta(days=1))["trades"].null_count() == 0


def test_an_hour_the_exchange_lacked_is_repaired_once_it_has_it(source, exchange_server, tmp_path):
    store, series = CandleStore(tmp_path), (Symbol("BTC", "USDT"), Timeframe("1h"))
    exchange_server.hidden = {APRIL + timedelta(hours=7), APRIL + timedelta(hours=8)}
    update_candles(source, store, Series(source.name, *series), since=APRIL, until=APRIL + timedelta(days=1))
    assert check_quality(store.load(Series("binance", *series)), *series, LATER).gaps == (
        Gap(APRIL + timedelta(hours=6), missing=2),
    )
    exchange_server.hidden.clear()
    assert repair_candles(source, store, Series(source.name, *series)).added == 2
    assert check_quality(store.load(Series("binance", *series)), *series, LATER).missing == 0
    assert store.load_full(Series("binance", *series))["trades"].null_count() == 0


@pytest.mark.parametrize(("ahead", "side"), [(5, "behind"), (-5, "ahead of")])
def test_a_clock_more_than_two_seconds_off_is_told_once(source, exchange_server, ahead, side):
    exchange_server.now += timedelta(seconds=ahead)
    with capture_logs() as said:
        fetch(source, APRIL)
        fetch(source, APRIL)
    (line,) = said
    assert line["log_level"] == "warning"
    assert line["event"].startswith(f"the clock of this machine is 5.0 s {side} that of binance")
    assert source.status().clock_offset == timedelta(seconds=ahead)


def test_a_clock_that_agrees_is_not_worth_a_word(source, exchange_server, clock):
    exchange_server.now = clock.now() + timedelta(seconds=1.9)
    with capture_logs() as said:
        fetch(source, APRIL)
    assert source.clock_offset() == timedelta(seconds=1.9)
    assert said == []


def test_a_slow_answer_is_not_taken_for_a_wrong_clock(exchange_server):
    exchange_server.now = datetime.now(UTC) + timedelta(seconds=2.2)
    slow = ExchangeSource("binance", url=exchange_server.url)
    exchange_server.fail_next(Fault(delay_seconds=0.6), path="/api/v3/time")
    with capture_logs() as said:
        assert slow.clock_offset() is not None
    assert said == []


def test_the_open_last_candle_is_left_out_by_the_clock_of_the_exchange(source, exchange_server):
    exchange_server.now = datetime(2026, 4, 29, 23, 59, 59, tzinfo=UTC)
    assert fetch(source, APRIL)["open_time"].item(-1) == datetime(2026, 4, 29, 22, tzinfo=UTC)
    exchange_server.now = datetime(2026, 4, 30, tzinfo=UTC)
    assert fetch(source, APRIL)["open_time"].item(-1) == datetime(2026, 4, 29, 23, tzinfo=UTC)


def test_a_year_comes_in_pages_of_a_thousand(source, exchange_server, bitcoin, hourly):
    since, until = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)
    pages = [len(page) for page in source.fetch(bitcoin, hourly, since, until)]
    assert pages == [1000] * 8 + [760]
    assert {parameters["limit"] for parameters in exchange_server.asked()} == {"1000"}


def test_a_start_long_before_the_listing_costs_one_request(source, exchange_server):
    candles = fetch(source, datetime(2015, 1, 1, tzinfo=UTC), datetime(2022, 1, 3, tzinfo=UTC))
    assert candles["open_time"].item(0) == datetime(2022, 1, 1, tzinfo=UTC)
    assert len(exchange_server.asked()) == 1


def test_no_key_and_no_other_market_is_asked_for(source, exchange_server):
    fetch(source, APRIL, APRIL + timedelta(days=1))
    assert {path for path, _ in exchange_server.requests} == {
        "/api/v3/exchangeInfo",
        "/api/v3/time",
        "/api/v3/klines",
    }


def test_the_clock_of_this_machine_does_not_open_or_close_a_candle(source, exchange_server, clock):
    clock.sleep_until(clock.now() + timedelta(hours=9), threading.Event())
    exchange_server.now = datetime(2026, 4, 29, 23, 59, 59, tzinfo=UTC)
    assert fetch(source, APRIL)["open_time"].item(-1) == datetime(2026, 4, 29, 22, tzinfo=UTC)


@pytest.mark.parametrize("status", [429, 418])
def test_it_waits_as_long_as_the_exchange_says(source, exchange_server, naps, status):
    exchange_server.fail_next(Fault(status=status, retry_after="7"), times=2)
    assert len(fetch(source, APRIL, APRIL + timedelta(days=1))) == 24
    assert naps == [7.0, 7.0]


def test_it_backs_off_by_doubling_when_the_exchange_says_nothing(source, exchange_server, naps):
    exchange_server.fail_next(Fault(status=429), times=3)
    assert len(fetch(source, APRIL, APRIL + timedelta(days=1))) == 24
    assert naps == [1.0, 2.0, 4.0]


def test_a_long_ban_is_reported_and_not_slept_through(source, exchange_server, naps):
    exchange_server.fail_next(Fault(status=418, retry_after="7200"))
    with pytest.raises(SourceUnavailableError, match="binance asks for a pause of 7200 s"):
        fetch(source, APRIL)
    assert naps == []
    assert len(exchange_server.asked()) == 1


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=503), Fault(truncated=True)])
def test_a_passing_failure_is_tried_again(source, exchange_server, naps, fault):
    exchange_server.fail_next(fault)
    assert len(fetch(source, APRIL, APRIL + timedelta(days=1))) == 24
    assert naps == [1.0]


def test_it_gives_up_after_five_attempts(source, exchange_server, naps):
    exchange_server.fail_next(Fault(status=503), times=5)
    with pytest.raises(SourceUnavailableError, match="binance cannot be reached"):
        fetch(source, APRIL)
    assert naps == [1.0, 2.0, 4.0, 8.0]


def test_a_silent_exchange_is_unavailable(exchange_server, clock):
    impatient = ExchangeSource("binance", url=exchange_server.url, timeout_seconds=0.2, clock=clock)
    exchange_server.fail_next(Fault(delay_seconds=0.5), times=5, path="/api/v3/exchangeInfo")
    with pytest.raises(SourceUnavailableError, match=r"binance did not answer within 0\.2 s"):
        fetch(impatient, APRIL)


def test_an_answer_that_is_no_json_is_not_taken_for_an_empty_page(source, exchange_server, naps):
    exchange_server.now = APRIL + timedelta(days=1)  # a short answer, which ccxt reads letter by letter
    exchange_server.fail_next(Fault(garbled=True))
    assert len(fetch(source, APRIL, APRIL + timedelta(days=1))) == 24
    assert naps == [1.0]
    exchange_server.fail_next(Fault(garbled=True), times=5)
    with pytest.raises(
        SourceUnavailableError, match=r"binance cannot be reached \(the answer was not JSON\)"
    ):
        fetch(source, APRIL)


def test_an_answer_of_another_shape_is_one_clear_line(source, exchange_server, monkeypatch):
    monkeypatch.setattr(exchange_server, "_klines", lambda _: (200, [["no time", "1", "1", "1", "1", "1"]]))
    with pytest.raises(SourceError, match=r"binance: unusable answer .*no candles.*; try again later"):
        fetch(source, APRIL)


def test_an_unknown_symbol_is_answered_with_the_close_ones(source, hourly):
    with pytest.raises(UnknownNameError, match=r"binance has no BTC/USDX; did you mean .*BTC/USDT"):
        source.fetch(Symbol("BTC", "USDX"), hourly, APRIL, LATER)


def test_a_timeframe_the_exchange_lacks_is_answered_with_those_it_has(exchange_server, bitcoin):
    kraken = ExchangeSource("kraken", url=exchange_server.url)
    with pytest.raises(UnknownNameError, match="kraken has no candles of 8h; choose one of 1m, 5m"):
        kraken.fetch(bitcoin, Timeframe("8h"), APRIL, LATER)


def test_an_unknown_exchange_is_refused():
    with pytest.raises(UnknownNameError, match="ccxt knows no exchange 'binanse'"):
        ExchangeSource("binanse")


def test_reachable_says_yes_and_no(source, exchange_server):
    assert source.is_reachable()
    assert not ExchangeSource("binance", url="http://127.0.0.1:1").is_reachable(timeout_seconds=2)
    late = ExchangeSource("binance", url=exchange_server.url)
    exchange_server.fail_next(Fault(delay_seconds=1), path="/api/v3/exchangeInfo")
    assert not late.is_reachable(timeout_seconds=0.1)
    for thread in threading.enumerate():
        if thread.name == "reach-binance":
            thread.join()
