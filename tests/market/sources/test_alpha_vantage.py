import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from make_us_rich.errors import SourceError, SourceUnavailableError, UnknownNameError
from make_us_rich.market.candle import candles_between
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.feed import update_candles
from make_us_rich.market.series import Series
from make_us_rich.market.sources.alpha_vantage import AlphaVantageSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing import check_candle_source
from provider_server import Day, ProviderServer, documented_answer, older_answer

PAIR, DAILY = Symbol("BTC", "EUR"), Timeframe("1d")
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 5, 1, 9, tzinfo=UTC)
KEY = "SECRETKEY123"


@pytest.fixture
def days(make_candles) -> pl.DataFrame:
    """Days up to the running one of `NOW`."""
    return make_candles(122, FIRST, "1d")


@pytest.fixture
def provider(days: pl.DataFrame) -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        server.answers["BTC", "EUR"] = documented_answer(
            "BTC", "EUR", map(as_day, days.iter_rows(named=True))
        )
        yield server


@pytest.fixture
def clock() -> ReplayClock:
    """A clock that jumps where somebody sleeps."""
    return ReplayClock(NOW, NOW + timedelta(days=9), speed=None)


@pytest.fixture
def source(provider: ProviderServer, clock: ReplayClock, tmp_path: Path) -> AlphaVantageSource:
    return build(provider, clock, tmp_path)


def build(provider: ProviderServer, clock: ReplayClock, folder: Path) -> AlphaVantageSource:
    return AlphaVantageSource(
        KEY, budgets=folder / "budgets", url=provider.url, timeout_seconds=2, clock=clock
    )


def as_day(row: dict[str, object]) -> Day:
    open_time = row.pop("open_time")
    assert isinstance(open_time, datetime)
    return Day(
        date(open_time.year, open_time.month, open_time.day), **{name: f"{row[name]:.8f}" for name in row}
    )


def fetch(source: AlphaVantageSource, symbol: Symbol = PAIR) -> pl.DataFrame:
    return pl.concat(source.fetch(symbol, DAILY, FIRST, NOW + timedelta(days=9)))


def test_the_provider_keeps_the_contract_of_a_source(source):
    check_candle_source(source, PAIR, DAILY, FIRST, FIRST + timedelta(days=60))


@pytest.mark.parametrize("written", [documented_answer, older_answer])
def test_both_documented_layouts_give_the_same_closed_days(source, provider, days, written):
    provider.answers["BTC", "EUR"] = written("BTC", "EUR", map(as_day, days.iter_rows(named=True)))
    assert fetch(source).equals(days.head(121)), "the running day is left out"


def test_the_request_is_the_documented_one(source, provider):
    fetch(source)
    assert provider.asked == [
        {"function": "DIGITAL_CURRENCY_DAILY", "symbol": "BTC", "market": "EUR", "apikey": KEY}
    ]


def test_one_answer_serves_every_window_until_the_next_day_has_closed(
    source, provider, clock, days, tmp_path
):
    store = CandleStore(tmp_path / "candles")
    since = FIRST + timedelta(days=50)
    update_candles(source, store, Series(source.name, PAIR, DAILY), since=since, until=NOW)
    update_candles(source, store, Series(source.name, PAIR, DAILY), since=FIRST, until=NOW)
    assert store.load(Series("alphavantage", PAIR, DAILY)).equals(
        candles_between(days, FIRST, datetime(2024, 5, 1, tzinfo=UTC))
    )
    assert len(provider.asked) == 1
    clock.sleep_until(NOW + timedelta(days=1), threading.Event())
    assert len(fetch(source)) == 122
    assert len(provider.asked) == 2


def test_five_requests_a_minute_are_kept_by_waiting(source, clock):
    for number in range(6):
        with pytest.raises(UnknownNameError):
            fetch(source, Symbol(f"COIN{number}", "EUR"))
    assert timedelta(seconds=60) < clock.now() - NOW < timedelta(seconds=70)
    assert source.status().sentences()[1] == "alphavantage: 19 of 25 request weight left today"


def test_twenty_five_requests_a_day_are_kept_by_all_processes_together(provider, clock, tmp_path):
    sources = [build(provider, clock, tmp_path) for _ in range(2)]
    for number in range(25):
        with pytest.raises(UnknownNameError):
            fetch(sources[number % 2], Symbol(f"COIN{number}", "EUR"))
    for source in sources:
        with pytest.raises(
            SourceUnavailableError, match="alphavantage: the weight of 25 allowed a day is used"
        ) as caught:
            fetch(source)
        assert "try again after 2024-05-02" in str(caught.value)
    assert len(provider.asked) == 25


DETECTED = f"We have detected your API key as {KEY} and our standard API rate limit is 25 requests per day."
SPARINGLY = "Please consider spreading out your free API requests more sparingly (1 request per second)."
FREQUENCY = "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute."
PREMIUM = "Thank you for using Alpha Vantage! This is a premium endpoint."
DEMO = "The **demo** API key is for demo purposes only. Please claim your free API key."
BAD_KEY = "the parameter apikey is invalid or missing. Please claim your free API key."


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ({"Information": DETECTED}, SourceUnavailableError, "limit of requests is reached, it says: 'We"),
        ({"Information": SPARINGLY}, SourceUnavailableError, "its limit of requests is reached"),
        ({"Note": FREQUENCY}, SourceUnavailableError, "5 calls per minute.'; what was fetched is kept"),
        ({"Information": PREMIUM}, SourceError, "premium endpoint.*; check MUR_ALPHAVANTAGE_KEY"),
        ({"Information": DEMO}, SourceError, "refuses, it says: .*demo"),
        ({"Error Message": BAD_KEY}, SourceError, "refuses, it says: 'the parameter apikey is invalid"),
        ({}, SourceError, "alphavantage BTC/EUR: the answer is not laid out as documented"),
        ([1], SourceError, "alphavantage BTC/EUR: the answer holds no candles"),
        (b"<html>", SourceUnavailableError, "did not answer in JSON"),
        (b'{"Meta Data": {"1. Inf', SourceUnavailableError, "broke off its answer"),
        (b"\xff\xfe", SourceUnavailableError, "did not answer in JSON"),
    ],
)  # fmt: skip
def test_an_answer_without_candles_is_one_clear_line_without_the_key(source, provider, answer, kind, message):
    provider.instead = answer or {"Meta Data": {}}
    with pytest.raises(SourceError, match=message) as caught:
        fetch(source)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer["Meta Data"].update({"7. Time Zone": "US/Eastern"}),
        lambda answer: answer["Time Series (Digital Currency Daily)"]["2024-02-01"].pop("4. close"),
        lambda answer: answer["Time Series (Digital Currency Daily)"]["2024-02-01"].update(
            {"4. close": "dear"}
        ),
        lambda answer: answer["Time Series (Digital Currency Daily)"].update({"soon": {}}),
        lambda answer: answer.update({"Time Series (Digital Currency Daily)": [1]}),
    ],
)
def test_a_layout_that_is_not_the_documented_one_is_refused_whole(source, provider, change):
    change(provider.answers["BTC", "EUR"])
    with pytest.raises(SourceError, match="alphavantage BTC/EUR: the answer is not laid out as documented"):
        fetch(source)


def test_a_pair_the_provider_does_not_know_is_told(source):
    with pytest.raises(UnknownNameError, match="alphavantage has no BTC/USDT; it prices coins in USD, EUR"):
        fetch(source, Symbol("BTC", "USDT"))


def test_only_days_can_be_had(source, hourly):
    with pytest.raises(UnknownNameError, match="alphavantage has no candles of 1h; choose one of 1d"):
        source.fetch(PAIR, hourly, FIRST, NOW)
    with pytest.raises(UnknownNameError):
        source.symbols(hourly)


def test_a_provider_that_is_away_or_slow_is_unavailable_and_the_key_stays_unsaid(
    source, provider, clock, tmp_path
):
    provider.status = 503
    with pytest.raises(SourceUnavailableError, match="alphavantage answers with status 503"):
        fetch(source)
    provider.status, provider.delay_seconds = 200, 0.5
    slow = AlphaVantageSource(KEY, budgets=tmp_path, url=provider.url, timeout_seconds=0.1, clock=clock)
    with pytest.raises(SourceUnavailableError, match=r"alphavantage did not answer within 0\.1 s"):
        fetch(slow)
    gone = AlphaVantageSource(KEY, budgets=tmp_path, url="http://127.0.0.1:1", clock=clock)
    with pytest.raises(SourceUnavailableError, match="alphavantage cannot be reached") as caught:
        fetch(gone)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_an_empty_window_asks_for_nothing(source, provider):
    assert list(source.fetch(PAIR, DAILY, NOW, NOW + timedelta(days=2))) == []
    assert provider.asked == []
