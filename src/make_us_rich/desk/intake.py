"""Candles as they close: an iterator over what a clock and a source bring, each candle stored first."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
import structlog

from make_us_rich.desk.notes import note_revised
from make_us_rich.errors import MakeUsRichError, StoreError
from make_us_rich.events.bus import Bus
from make_us_rich.events.records import CandleClosed
from make_us_rich.journal.journal import Journal
from make_us_rich.market.clock import Clock, ReplayClock
from make_us_rich.market.series import Series
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

DAILY = Timeframe("1d")
"""Stored series of this length are kept up too, because trends are made from them."""

_GRACE = timedelta(seconds=2)  # an exchange needs a moment to publish the candle that has just closed
_RETRY = timedelta(seconds=30)
_OVERLAP = 2  # candles
_LOG = structlog.get_logger("make_us_rich.desk")


@dataclass(frozen=True, slots=True)
class Feed:
    """Where the desk reads candles, where it puts them, and which pairs it follows."""

    source: CandleSource
    store: CandleStore
    symbols: tuple[Symbol, ...]
    timeframe: Timeframe

    def series(self, symbol: Symbol) -> Series:
        """Return the series of a followed symbol."""
        return Series(self.source.name, symbol, self.timeframe)

    def followed(self) -> list[Series]:
        """Return every series that is kept up: the pairs, and what is stored of days from this source."""
        pairs = [self.series(symbol) for symbol in self.symbols]
        stored = self.store.series()
        days = [one for one in stored if (one.source, one.timeframe) == (self.source.name, DAILY)]
        return list(dict.fromkeys([*pairs, *days]))


@dataclass(frozen=True, slots=True)
class ClosedCandle:
    """The newest candle of a series has closed at `cutoff`; `moment` is that of the round it came in."""

    series: Series
    cutoff: datetime
    moment: datetime


@dataclass(frozen=True, slots=True)
class Round:
    """A moment at which candles close, and those that have, all stored when the first is asked for."""

    moment: datetime
    candles: Iterator[ClosedCandle]


def standing_still(clock: Clock) -> AbstractContextManager[None]:
    """Let no simulated time pass while something slow is done; the wall clock cannot be held."""
    return clock.held() if isinstance(clock, ReplayClock) else nullcontext()


class CandleIntake:
    """Goes from candle to candle.

    In a past that is played every candle gets its turn, at its own close time, so that what comes out does
    not depend on the speed. On the wall clock nothing waits, and after a pause only the newest candle counts.
    """

    def __init__(self, feed: Feed, clock: Clock, journal: Journal, bus: Bus) -> None:
        self._feed = feed
        self._clock = clock
        self._journal = journal
        self._bus = bus
        self._cutoffs: dict[Series, datetime] = {}
        # a past begins with the desk, whatever time its set-up takes
        self._start = feed.timeframe.floor(clock.now())

    @property
    def is_played(self) -> bool:
        """Whether a past is played, instead of following the wall clock."""
        return isinstance(self._clock, ReplayClock)

    def rounds(self, stop: threading.Event) -> Iterator[Round]:
        """Yield a round per close of a candle, until `stop` is set or the clock ends."""
        moment = self._start if self.is_played else self._feed.timeframe.floor(self._clock.now())
        while not stop.is_set():
            yield self.round_at(moment)
            if not self._clock.sleep_until(self._next_due(moment), stop):
                return
            moment = self._next_moment(moment)

    def round_at(self, moment: datetime) -> Round:
        """Return what has closed at a moment and was not worked off yet."""
        return Round(moment, self._closed(moment))

    def set_back(self, candle: ClosedCandle) -> None:
        """Bring a candle again in the next round, because it could not be worked off."""
        self._cutoffs.pop(candle.series, None)

    def _closed(self, moment: datetime) -> Iterator[ClosedCandle]:
        # all of them before the first is worked off: a forecast may read the candles of several pairs
        due = {series: series.timeframe.floor(moment) for series in self._feed.followed()}
        new = [series for series in due if self._cutoffs.get(series) != due[series]]
        added = {series: self._take_in(series, due[series], moment) for series in new}
        for series in new:
            try:
                cutoff = self._newest_cutoff(series, due[series])
            except StoreError as error:  # as in `_take_in`, which has gone on to here
                if self.is_played:
                    raise
                _LOG.warning("no new candle", series=str(series), reason=str(error))
                continue
            if cutoff is None:
                continue
            self._cutoffs[series] = cutoff
            self._tell(series, cutoff, moment, added[series])
            yield ClosedCandle(series, cutoff, moment)

    def _take_in(self, series: Series, due: datetime, moment: datetime) -> int:
        def on_revised(page: pl.DataFrame) -> None:
            note_revised(self._journal, self._feed.store, series, page, moment)

        added = 0
        try:
            for page in _new_pages(self._feed.source, self._feed.store, series, due):
                result = self._feed.store.append(page, series)
                added += result.added
                if result.revised:
                    on_revised(page)
        except MakeUsRichError as error:  # one pair in trouble stops no other
            if self.is_played and isinstance(error, StoreError):
                raise
            _LOG.warning("no new candle", series=str(series), reason=str(error))
        return added

    def _newest_cutoff(self, series: Series, due: datetime) -> datetime | None:
        duration, before = series.timeframe.duration, self._cutoffs.get(series)
        last = self._feed.store.last_open_time(series)
        if last is not None and last + duration > due:  # a store that knows more than the past that is played
            known = self._feed.store.load(series, before or due - duration, due)["open_time"]
            last = known.item(-1) if len(known) else None
        if last is None or last + duration < (before + duration if before else due):
            return None
        return last + duration

    def _tell(self, series: Series, cutoff: datetime, moment: datetime, added: int) -> None:
        names = (series.source, str(series.symbol), series.timeframe.name)
        self._bus.publish(CandleClosed(self._journal.market, moment, *names, cutoff, added))

    def _is_up_to_date(self, moment: datetime) -> bool:
        pairs = map(self._feed.series, self._feed.symbols)
        return all(self._cutoffs.get(series) == moment for series in pairs)

    def _next_due(self, moment: datetime) -> datetime:
        following = moment + self._feed.timeframe.duration
        if self.is_played:
            return following
        if self._is_up_to_date(moment):
            return following + _GRACE
        return min(self._clock.now() + _RETRY, following + _GRACE)

    def _next_moment(self, moment: datetime) -> datetime:
        if self.is_played:
            return moment + self._feed.timeframe.duration
        return self._feed.timeframe.floor(self._clock.now())


def _new_pages(
    source: CandleSource, store: CandleStore, series: Series, due: datetime
) -> Iterator[pl.DataFrame]:
    """Yield the candles that have closed by `due`; of a series that is not stored yet only the newest."""
    duration = series.timeframe.duration
    last = store.last_open_time(series)
    since = last + duration if last else due - duration
    if since >= due:
        return
    if last:
        since -= _OVERLAP * duration  # in the same request: a source may have changed them since
    yield from source.fetch(series.symbol, series.timeframe, since, due)
