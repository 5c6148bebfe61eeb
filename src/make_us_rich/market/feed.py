"""From a source into the store, asking only for what is not there yet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from make_us_rich.errors import SourceError, UsageError
from make_us_rich.market.candle import as_full_candles, is_impossible
from make_us_rich.market.quality import check_quality
from make_us_rich.market.series import Series
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import AppendResult, CandleStore

OnPage = Callable[[pl.DataFrame], None]
"""Called with the candles just stored."""

_CHUNK_CANDLES = 1000


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What a fetch did, and what is stored since: first and last open time, and how many candles."""

    added: int
    revised: int
    first: datetime | None
    last: datetime | None
    total: int
    repaired: int = 0


def update_candles(  # noqa: PLR0913 -- what to fetch, from where, to where, and who watches
    source: CandleSource,
    store: CandleStore,
    series: Series,
    *,
    since: datetime,
    until: datetime,
    now: datetime | None = None,
    on_page: OnPage | None = None,
) -> FetchResult:
    """Fetch candles from `since` on and closed by `until`, and store each page as it arrives.

    Only what lies before the first stored candle and after the last is asked for. A fetch that is
    stopped at any moment leaves no hole: it has extended the series at one end, and the next one goes
    on from there. For the same reason a span apart from the stored one is joined to it. Given `now`,
    nothing is asked for beyond it.
    """
    if now is not None:
        until = min(until, now)
    if since >= until:
        raise UsageError(f"since {since:%Y-%m-%d %H:%M} does not lie before until {until:%Y-%m-%d %H:%M}")
    transfer = _Transfer(source, store, series, on_page)
    first = store.first_open_time(series)
    last = store.last_open_time(series)
    if first is None or last is None:
        transfer.forwards(since, until)
        return transfer.result()
    if last + series.timeframe.duration < until:
        transfer.forwards(last + series.timeframe.duration, until)
    if since < first:
        transfer.backwards(since, first)
    return transfer.result()


def repair_candles(
    source: CandleSource,
    store: CandleStore,
    series: Series,
    *,
    on_page: OnPage | None = None,
) -> FetchResult:
    """Ask the source again for every stored gap and every impossible candle, and store what it has."""
    stored = store.load(series)
    step = series.timeframe.duration
    transfer = _Transfer(source, store, series, on_page)
    if len(stored):
        report = check_quality(
            stored, series.symbol, series.timeframe, now=stored["open_time"].item(-1) + step
        )
        for gap in report.gaps:
            transfer.forwards(gap.after + step, gap.after + (gap.missing + 1) * step)
    for open_time in stored.filter(is_impossible())["open_time"]:
        transfer.forwards(open_time, open_time + step)
    return transfer.result()


@dataclass(slots=True)
class _Transfer:
    source: CandleSource
    store: CandleStore
    series: Series
    on_page: OnPage | None
    results: list[AppendResult] = field(default_factory=list)

    def forwards(self, since: datetime, until: datetime) -> None:
        for page in self._pages(since, until):
            self._keep(page)

    def backwards(self, since: datetime, first: datetime) -> None:
        # in chunks from the newest to the oldest, because pages come in the other order and a fetch
        # that is stopped between two of them would leave a hole before what is stored
        oldest_page = next(self._pages(since, first), None)
        if oldest_page is None:
            return
        oldest = oldest_page["open_time"].item(0)  # a market may open long after `since`
        while oldest < first:
            start = max(oldest, first - _CHUNK_CANDLES * self.series.timeframe.duration)
            pages = list(self._pages(start, first))
            if pages:
                self._keep(pl.concat(pages))
            first = start

    def result(self) -> FetchResult:
        stored = self.store.load(self.series)["open_time"]
        return FetchResult(
            added=sum(result.added for result in self.results),
            revised=sum(result.revised for result in self.results),
            repaired=sum(result.repaired for result in self.results),
            first=stored.item(0) if len(stored) else None,
            last=stored.item(-1) if len(stored) else None,
            total=len(stored),
        )

    def _pages(self, since: datetime, until: datetime) -> Iterator[pl.DataFrame]:
        before = since - self.series.timeframe.duration
        for answer in self.source.fetch(self.series.symbol, self.series.timeframe, since, until):
            page = as_full_candles(answer)
            times = page["open_time"]
            in_order = before < times.item(0) and times.is_sorted() and times.is_unique().all()
            if not in_order or times.item(-1) + self.series.timeframe.duration > until:
                raise SourceError(
                    f"{self.source.name} {self.series}: candles out of order or not asked for, near "
                    f"{times.item(0):%Y-%m-%d %H:%M}; this page was not "
                    "stored, report it to whoever wrote the source"
                )
            before = times.item(-1)
            yield page

    def _keep(self, page: pl.DataFrame) -> None:
        self.results.append(self.store.append(page, self.series))
        if self.on_page is not None:
            self.on_page(page)
