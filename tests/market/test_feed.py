import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from exchange_server import Fault
from make_us_rich.errors import SourceError, SourceUnavailableError, UnknownNameError, UsageError
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.feed import FetchResult, repair_candles, update_candles
from make_us_rich.market.quality import check_quality
from make_us_rich.market.series import Series
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.sources.exchange import ExchangeSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

BITCOIN, HOURLY = Symbol("BTC", "USDT"), Timeframe("1h")
NOW = datetime(2030, 1, 1, tzinfo=UTC)

Window = tuple[datetime, datetime]


def day(number: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number)


class WatchedSource(SimulatedSource):
    """The simulated market in pages of 100, which notes what it is asked for and may break off."""

    def __init__(self, opens: datetime | None = None) -> None:
        super().__init__()
        self.asked: list[Window] = []
        self.pages_left = 10_000
        self.interruption: BaseException = KeyboardInterrupt()
        self._opens = opens

    def fetch(
        self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Iterator[pl.DataFrame]:
        self.asked.append((since, until))
        opened = max(since, self._opens or since)
        for page in super().fetch(symbol, timeframe, opened, until):
            for part in page.iter_slices(100):
                if self.pages_left == 0:
                    raise self.interruption
                self.pages_left -= 1
                yield part


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path)


@pytest.fixture
def source() -> WatchedSource:
    return WatchedSource()


def update(source: WatchedSource, store: CandleStore, since: datetime, until: datetime) -> FetchResult:
    return update_candles(source, store, Series(source.name, BITCOIN, HOURLY), since=since, until=until)


def stored(store: CandleStore) -> pl.DataFrame:
    return store.load(Series("simulated", BITCOIN, HOURLY))


def missing(store: CandleStore) -> int:
    return check_quality(stored(store), BITCOIN, HOURLY, NOW).missing


def test_a_first_fetch_stores_everything_asked_for(store, source):
    result = update(source, store, day(0), day(10))
    last = day(10) - timedelta(hours=1)
    assert result == FetchResult(added=240, revised=0, first=day(0), last=last, total=240)
    assert stored(store).equals(pl.concat(SimulatedSource().fetch(BITCOIN, HOURLY, day(0), day(10))))


def test_a_second_fetch_asks_only_for_the_tail(store, source):
    update(source, store, day(0), day(10))
    source.asked.clear()
    assert update(source, store, day(0), day(12)).added == 48
    assert source.asked == [(day(10), day(12))]


def test_nothing_is_asked_for_when_everything_is_there(store, source):
    update(source, store, day(0), day(10))
    source.asked.clear()
    assert update(source, store, day(3), day(10)).added == 0
    assert update(source, store, day(0), day(10) + timedelta(minutes=30)).added == 0
    assert source.asked in ([], [(day(10), day(10) + timedelta(minutes=30))])


def test_an_earlier_start_asks_only_for_the_head(store, source):
    update(source, store, day(100), day(110))
    source.asked.clear()
    assert update(source, store, day(0), day(110)).added == 2400
    assert all(until <= day(100) for _, until in source.asked)
    assert missing(store) == 0


def test_a_head_from_before_the_market_opened_costs_one_question(store):
    source = WatchedSource(opens=day(100))
    update(source, store, day(0), day(110))
    source.asked.clear()
    assert update(source, store, day(0), day(110)).added == 0
    assert source.asked == [(day(0), day(100))]


def test_a_span_apart_from_the_stored_one_is_joined_to_it(store, source):
    update(source, store, day(50), day(60))
    assert update(source, store, day(80), day(90)).total == 40 * 24
    assert update(source, store, day(0), day(10)).total == 90 * 24
    assert missing(store) == 0


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SourceUnavailableError("away")])
@pytest.mark.parametrize(("since", "until"), [(150, 300), (0, 200), (0, 300)])
def test_a_fetch_stopped_after_any_page_leaves_no_hole_and_goes_on_later(
    store, source, interruption, since, until
):
    update(source, store, day(150), day(200))
    source.interruption = interruption
    for _ in range(40):
        before = len(stored(store))
        source.pages_left = 12
        try:
            update(source, store, day(since), day(until))
            break
        except type(interruption):
            assert len(stored(store)) > before, "what had arrived was kept"
            assert missing(store) == 0
    assert stored(store)["open_time"].item(0) == day(min(since, 150))
    assert stored(store)["open_time"].item(-1) == day(max(until, 200)) - timedelta(hours=1)
    assert missing(store) == 0


def test_every_stored_page_is_reported(store, source):
    seen: list[int] = []
    update_candles(
        source,
        store,
        Series(source.name, BITCOIN, HOURLY),
        since=day(0),
        until=day(10),
        on_page=lambda page: seen.append(len(stored(store)) - len(page)),
    )
    assert seen == [0, 100, 200]


def test_nothing_is_asked_for_beyond_now(store, source):
    update_candles(source, store, Series(source.name, BITCOIN, HOURLY), since=day(0), until=NOW, now=day(5))
    assert source.asked == [(day(0), day(5))]


def test_a_span_that_ends_before_it_begins_is_refused(store, source):
    with pytest.raises(UsageError, match="since 2024-01-11 00:00 does not lie before until 2024-01-01 00:00"):
        update(source, store, day(10), day(0))


def test_an_unknown_symbol_leaves_the_store_alone(store, source, tmp_path):
    with pytest.raises(UnknownNameError, match="simulated has no BTX/USDT"):
        update_candles(
            source, store, Series(source.name, Symbol("BTX", "USDT"), HOURLY), since=day(0), until=day(1)
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spoil", [lambda page: page.reverse(), lambda page: pl.concat([page, page])])
def test_a_page_out_of_order_is_not_stored(store, spoil):
    class Disorderly(SimulatedSource):
        def fetch(self, *window: object) -> Iterator[pl.DataFrame]:
            return (spoil(page) for page in super().fetch(*window))  # type: ignore[arg-type]

    with pytest.raises(SourceError, match="simulated BTC/USDT 1h: candles out of order or not asked for"):
        update_candles(
            Disorderly(), store, Series(Disorderly().name, BITCOIN, HOURLY), since=day(0), until=day(1)
        )
    assert stored(store).is_empty()


def test_repair_asks_for_gaps_and_impossible_candles_only(store, source):
    whole = pl.concat(SimulatedSource().fetch(BITCOIN, HOURLY, day(0), day(10)))
    broken = whole.with_columns(low=pl.when(pl.int_range(pl.len()) == 99).then(float("nan")).otherwise("low"))
    store.append(pl.concat([broken[:30], broken[33:200], broken[201:]]), Series("simulated", BITCOIN, HOURLY))
    result = repair_candles(source, store, Series(source.name, BITCOIN, HOURLY))
    assert (result.added, result.repaired, result.revised, result.total) == (4, 1, 0, 240)
    assert stored(store).equals(whole)
    hour = timedelta(hours=1)
    assert source.asked == [
        (day(0) + 30 * hour, day(0) + 33 * hour),
        (day(0) + 200 * hour, day(0) + 201 * hour),
        (day(0) + 99 * hour, day(0) + 100 * hour),
    ]


def test_repair_keeps_a_gap_the_source_has_itself_and_an_empty_store_empty(store):
    source = WatchedSource(opens=day(5))
    assert repair_candles(source, store, Series(source.name, BITCOIN, HOURLY)).total == 0
    whole = pl.concat(SimulatedSource().fetch(BITCOIN, HOURLY, day(0), day(10)))
    store.append(pl.concat([whole[:30], whole[33:]]), Series("simulated", BITCOIN, HOURLY))
    assert repair_candles(source, store, Series(source.name, BITCOIN, HOURLY)).added == 0


def test_an_exchange_that_goes_away_in_the_middle_loses_nothing(store, exchange_server):
    jumping = ReplayClock(day(0), NOW, speed=None)
    source = ExchangeSource("binance", url=exchange_server.url, clock=jumping)

    def strike(_: pl.DataFrame) -> None:
        exchange_server.fail_next(Fault(status=503), times=5)

    with pytest.raises(SourceUnavailableError, match="what was fetched is kept, try again later"):
        update_candles(
            source, store, Series(source.name, BITCOIN, HOURLY), since=day(0), until=day(100), on_page=strike
        )
    assert len(store.load(Series("binance", BITCOIN, HOURLY))) == 1000
    assert (
        update_candles(
            source, store, Series(source.name, BITCOIN, HOURLY), since=day(0), until=day(100)
        ).total
        == 2400
    )


FETCHER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import structlog
from make_us_rich.market.feed import update_candles
from make_us_rich.market.series import Series
from make_us_rich.market.sources.exchange import ExchangeSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
update_candles(
    ExchangeSource("binance", url=sys.argv[2]),
    CandleStore(Path(sys.argv[1])),
    Series("binance", Symbol("BTC", "USDT"), Timeframe("1h")),
    since=datetime(2022, 1, 1, tzinfo=UTC),
    until=datetime(2026, 4, 1, tzinfo=UTC),
    on_page=lambda page: print(len(page), flush=True),
)
"""


def test_ctrl_c_in_a_fetch_keeps_every_page_that_had_arrived(store, tmp_path, exchange_server):
    fetcher = subprocess.Popen(
        [sys.executable, "-c", FETCHER, str(tmp_path), exchange_server.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert fetcher.stdout is not None
    arrived = [int(fetcher.stdout.readline()) for _ in range(3)]
    fetcher.send_signal(signal.SIGINT)
    rest, complaint = fetcher.communicate(timeout=30)
    kept = store.load(Series("binance", BITCOIN, HOURLY))
    assert complaint.rstrip().endswith("KeyboardInterrupt")
    assert sum(arrived) + sum(map(int, rest.split())) <= len(kept) < 37_000
    assert not list(tmp_path.rglob("*.tmp"))
    assert kept["open_time"].diff().drop_nulls().max() <= timedelta(hours=2), (
        "the recording's own gap is one hour"
    )
