"""The closed-candle loop: everything the desk does by itself hangs on "a candle has closed"."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import polars as pl
import structlog

from make_us_rich.desk.arrivals import take_in
from make_us_rich.desk.training import Training, TrainingOutcome
from make_us_rich.errors import ForecastUnavailableError, NotEnoughHistoryError, SourceError, StoreError
from make_us_rich.journal.outcome import Score
from make_us_rich.market.clock import Clock, ReplayClock
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.forecast import PriceForecast
from make_us_rich.serving.desk_view import Series

_LOG = structlog.get_logger("make_us_rich.desk")

_GRACE = timedelta(seconds=2)  # an exchange needs a moment to publish the candle that has just closed
_RETRY = timedelta(seconds=30)
_LOOK = timedelta(seconds=1)
_BETWEEN_LOOKS_SECONDS = 0.05

MakeForecast = Callable[[Symbol, datetime], PriceForecast]
"""Makes the forecast of a symbol at a moment, writes it in the journal and returns it."""

ScoreDue = Callable[[Symbol, datetime], list[Score]]
"""Scores the forecasts of a symbol that have fallen due at a moment."""

OnRevised = Callable[[Symbol, pl.DataFrame], None]
"""Told of candles of which some differ from the stored ones, which stay."""

AfterCandle = Callable[[datetime], None]
"""Does what is not of one symbol, once the candles of a moment are worked off."""

BeginTraining = Callable[[datetime], Training | None]
"""Starts the training that is due at a moment, if any is."""

OnTrained = Callable[[TrainingOutcome], None]


@dataclass(slots=True)
class Tally:
    """What the desk has done since it started."""

    candles: int = 0
    forecasts: int = 0
    trainings: int = 0
    promotions: int = 0
    scores: list[Score] = field(default_factory=list)

    def to_dict(self) -> dict[str, int | float | None]:
        """Return the counts, and skill and coverage over all scored forecasts, None without any."""
        loss = sum(score.loss for score in self.scores)
        baseline_loss = sum(score.baseline_loss for score in self.scores)
        n_covered = sum(score.is_covered for score in self.scores)
        return {
            "candles": self.candles,
            "forecasts": self.forecasts,
            "scored": len(self.scores),
            "trainings": self.trainings,
            "promotions": self.promotions,
            "skill": 1 - loss / baseline_loss if baseline_loss > 0 else None,
            "coverage_90": n_covered / len(self.scores) if self.scores else None,
        }


@dataclass(frozen=True, slots=True)
class Feed:
    """Where the loop reads candles and where it puts them."""

    source: CandleSource
    store: CandleStore
    symbols: tuple[Symbol, ...]
    timeframe: Timeframe


@dataclass(frozen=True, slots=True)
class Duties:
    """What the loop has done by others: the journal, trainings, and telling people of their outcome."""

    score_due: ScoreDue
    make_forecast: MakeForecast
    on_revised: OnRevised
    after_candle: AfterCandle
    begin_training: BeginTraining
    on_trained: OnTrained


def standing_still(clock: Clock) -> AbstractContextManager[None]:
    """Let no simulated time pass while something slow is done; the wall clock cannot be held."""
    return clock.held() if isinstance(clock, ReplayClock) else nullcontext()


class ClosedCandleLoop:
    """Store the candle, score what fell due, make the next forecasts, begin what training is due.

    In a past that is played every candle gets its turn, at its own close time, and the clock waits for
    trainings, so that what comes out does not depend on the speed: a training begun at one candle counts
    from the next. On the wall clock nothing waits, and after a pause only the newest candle counts.
    """

    def __init__(self, feed: Feed, clock: Clock, duties: Duties) -> None:
        self.tally = Tally()
        self._feed = feed
        self._clock = clock
        self._duties = duties
        self._cutoffs: dict[Symbol, datetime] = {}
        self._training: Training | None = None
        # a past begins with the loop, whatever time its set-up takes
        self._start = feed.timeframe.floor(clock.now()) if self._is_played else None

    def run(self, stop: threading.Event) -> None:
        """Go from candle to candle until `stop` is set or the clock ends, and cancel what still runs then."""
        try:
            moment = self._start or self._feed.timeframe.floor(self._clock.now())
            self.candle_closed(moment)
            due = self._next_due(moment)
            while self._collect_training(stop, moment) and self._clock.sleep_until(
                self._next_look(due), stop
            ):
                if self._clock.now() >= due:
                    moment = self._newest_close(moment)
                    self.candle_closed(moment)
                    due = self._next_due(moment)
        finally:
            if self._training is not None:
                self._training.cancel()

    def candle_closed(self, moment: datetime) -> None:
        """Do what is due when the candles that end at `moment` have closed."""
        for symbol in self._feed.symbols:
            try:
                self._step(symbol, moment)
            except NotEnoughHistoryError as error:
                _LOG.info("no forecast yet", symbol=str(symbol), reason=str(error))
            except (SourceError, ForecastUnavailableError) as error:
                _LOG.warning("no new forecast", symbol=str(symbol), reason=str(error))
        self._duties.after_candle(moment)
        if self._training is None:
            self._training = self._duties.begin_training(moment)

    def _step(self, symbol: Symbol, moment: datetime) -> None:
        self._fetch(symbol, moment)
        cutoff = self._newest_cutoff(symbol, moment)
        if cutoff is None:
            return
        before = self._cutoffs.get(symbol)
        self._cutoffs[symbol] = cutoff
        try:
            self.tally.scores += self._duties.score_due(symbol, moment)
            self.tally.forecasts += len(self._duties.make_forecast(symbol, moment).steps)
        except StoreError as error:
            if self._is_played:
                raise
            # the database may be back soon; until then this candle has not been worked off
            self._cutoffs.pop(symbol)
            if before is not None:
                self._cutoffs[symbol] = before
            _LOG.error("not written in the journal", symbol=str(symbol), reason=str(error))

    def _fetch(self, symbol: Symbol, moment: datetime) -> None:
        feed = self._feed
        series = Series(feed.source.name, symbol, feed.timeframe)
        on_revised = partial(self._duties.on_revised, symbol)
        self.tally.candles += take_in(feed.source, feed.store, series, moment, on_revised)

    def _newest_cutoff(self, symbol: Symbol, moment: datetime) -> datetime | None:
        feed, duration = self._feed, self._feed.timeframe.duration
        # a candle opens where the one before it closed, so the last cutoff is where the new ones begin
        since = self._cutoffs.get(symbol, moment - duration)
        known = feed.store.load(feed.source.name, symbol, feed.timeframe, since=since, until=moment)
        closes = [one + duration for one in known["open_time"] if one + duration <= moment]
        return max(closes, default=None)

    def _is_up_to_date(self, moment: datetime) -> bool:
        return all(self._cutoffs.get(symbol) == moment for symbol in self._feed.symbols)

    def _next_due(self, moment: datetime) -> datetime:
        following = moment + self._feed.timeframe.duration
        if self._is_played:
            return following
        if self._is_up_to_date(moment):
            return following + _GRACE
        return min(self._clock.now() + _RETRY, following + _GRACE)

    def _next_look(self, due: datetime) -> datetime:
        is_training_beside = self._training is not None and not self._is_played
        return min(due, self._clock.now() + _LOOK) if is_training_beside else due

    def _newest_close(self, moment: datetime) -> datetime:
        if self._is_played:
            return moment + self._feed.timeframe.duration
        return self._feed.timeframe.floor(self._clock.now())

    @property
    def _is_played(self) -> bool:
        return isinstance(self._clock, ReplayClock)

    def _collect_training(self, stop: threading.Event, moment: datetime) -> bool:
        with standing_still(self._clock):
            while self._is_played and self._training is not None and not stop.is_set():
                while not self._training.is_over() and not stop.wait(_BETWEEN_LOOKS_SECONDS):
                    pass
                self._conclude_training(moment)
        self._conclude_training(moment)
        return not stop.is_set()

    def _conclude_training(self, moment: datetime) -> None:
        if self._training is None or not self._training.is_over():
            return
        for outcome in self._training.outcomes():
            self.tally.trainings += outcome.version is not None
            self.tally.promotions += outcome.promoted
            self._duties.on_trained(outcome)
        self._training = self._duties.begin_training(moment)
