"""The board: every forecast in service, of every kind, made once per closed candle and model, then memory."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl
import structlog

from make_us_rich.errors import MakeUsRichError, StoreError
from make_us_rich.forecasting.forecast import Forecast, demoted
from make_us_rich.forecasting.kind import (
    CandleNeed,
    ForecastKind,
    KnownCandles,
    Live,
    Served,
    ShelvedModels,
    Subject,
)
from make_us_rich.forecasting.kinds import known_kinds
from make_us_rich.forecasting.lineup import Lineup
from make_us_rich.forecasting.loading import load_once, part_of
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.records import NoRecords, Records
from make_us_rich.forecasting.refusals import all_passed, kind_failed, not_stored, one_line
from make_us_rich.forecasting.watching import Watch
from make_us_rich.market.series import Series
from make_us_rich.registry.model_name import ModelName

POLL_SECONDS = 1.0

_log = structlog.get_logger(__name__)

_Due = tuple[Subject, ShelvedModels, datetime]


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """The forecasts that the closed candle of a series makes due, and the candles they are made from."""

    series: Series
    due: Mapping[ModelName, _Due]
    needs: Mapping[ModelName, Sequence[CandleNeed]]
    candles: Mapping[Series, pl.DataFrame]

    @property
    def names(self) -> list[ModelName]:
        """The names of the forecasts."""
        return list(self.due)


class Board:
    """The current forecast of every name: what the journal holds, or made where it holds none.

    A record of another version than the champion's is not shown, so that a promotion or a rollback counts at
    once. What is made leaves out targets that have passed; what was recorded stays whole. The desk makes
    forecasts as candles close; where no desk runs beside it, a thread looks for new candles and models every
    second. Requests read what is there.
    """

    def __init__(
        self,
        view: MarketView,
        records: Records | None = None,
        *,
        poll_seconds: float = POLL_SECONDS,
        kinds: Mapping[str, ForecastKind] | None = None,
    ) -> None:
        self.kinds = known_kinds() if kinds is None else kinds
        self.view = view
        self._lineup = Lineup(view, self.kinds)
        self.champions = self._lineup.champions
        self._records = records or NoRecords()
        self._served: dict[ModelName, Served] = {}
        self._problems: dict[ModelName, MakeUsRichError] = {}
        self._updating = threading.RLock()
        self._poll_seconds = poll_seconds
        self._is_complete = False
        self._watch: Watch | None = None

    def start(self) -> None:
        """Begin to look for new candles and models."""
        self._watch = Watch("board", self.refresh, self._poll_seconds)
        self._watch.start()

    def stop(self) -> None:
        """Stop looking and wait for what is under way."""
        if self._watch is not None:
            self._watch.stop()

    def served(self, name: ModelName) -> Served | None:
        """Return the forecast in memory, at no cost; None if there is none yet."""
        return self._served.get(name)

    def all_served(self, kinds: Collection[str] | None = None) -> dict[ModelName, Served]:
        """Return every forecast in memory, of some kinds or of all, in the order of their names."""
        found = self._served.items()
        return dict(sorted(((n, one) for n, one in found if kinds is None or n.kind in kinds), key=_by_name))

    def problems(self, kinds: Collection[str] | None = None) -> dict[ModelName, MakeUsRichError]:
        """Return why there is no new forecast, for each name where that is so."""
        found = self._problems.items()
        return dict(sorted(((n, one) for n, one in found if kinds is None or n.kind in kinds), key=_by_name))

    def owner(self, name: ModelName) -> int | None:
        """Return the id of the user a name belongs to; None where everybody may see it."""
        subject = self._lineup.subjects.get(name)
        return subject.owner if subject else None

    def is_seen_by(self, name: ModelName, asker: int | None) -> bool:
        """Say whether a user, or nobody in particular, may see a name: what has an owner is for the owner."""
        subject, kind = self._lineup.subjects.get(name), self.kinds.get(name.kind)
        if subject is None:
            return kind is None or not kind.has_owners
        return subject.owner is None or subject.owner == asker

    def complete(self) -> None:
        """Make what nobody has made yet, once; what is there already costs nothing."""
        if not self._is_complete:
            self.refresh()

    def compute(self, name: ModelName) -> Served:
        """Return the forecast of a name, made now if nobody did; it takes milliseconds."""
        with self._updating:
            if name not in self._served:
                self.champions.refresh()
                self._update([self._lineup.find(name)])
            if name not in self._served:
                raise self._problems[name]
            return self._served[name]

    def refresh(self) -> None:
        """Bring every forecast up to the newest closed candle and the current models."""
        with self._updating:
            self.champions.refresh()
            self.look_up()
            self._update(self._lineup.subjects.values())
            self._is_complete = True

    def look_up(self) -> None:
        """Find out who can be forecast now, and forget those who no longer can."""
        with self._updating:
            self._lineup.look_up()
            for gone in (self._served.keys() | self._problems.keys()) - self._lineup.subjects.keys():
                self._served.pop(gone, None)
                self._problems.pop(gone, None)

    def needs(self, series: Series) -> list[CandleNeed]:
        """Return all candles that the forecasts of a series are made from, those of other series too."""
        with self._updating:
            subjects = self._lineup.on(series)
            self._lineup.follow(subjects)  # one promoted since may read what the one before it did not
            return [
                need
                for subject in subjects
                for need in self._lineup.needs(subject, self._lineup.models(subject))
            ]

    def ready(self, series: Series, cutoff: datetime) -> "Ready":
        """Load what the forecasts that a closed candle makes due are made from, every series once."""
        with self._updating:
            subjects = self._lineup.on(series)
            self._lineup.follow(subjects)
            due = {one.name: (one, self._lineup.models(one), cutoff) for one in subjects}
            needs = {one.name: self._lineup.needs(one, models) for one, models, _ in due.values()}
            return Ready(series, due, needs, self._load(due))

    def make(self, ready: "Ready", now: datetime) -> list[Served]:
        """Make the forecasts, put them in service and return them.

        What was made meanwhile is not made again. What cannot be made is a problem of its name, and of no
        other. `recorded` brings their live records up to date.
        """
        with self._updating:
            stale = {name: one for name, one in ready.due.items() if not self._is_made(name, one)}
            failed = stale.keys() - self._make_all(stale, ready.candles, now).keys()
            return [self._served[name] for name in ready.due if name not in failed]

    def recorded(self, forecasts: Iterable[Forecast]) -> None:
        """Note that forecasts in service now stand in the journal."""
        for forecast in forecasts:
            known = self._served.get(forecast.name)
            if known is not None and known.forecast is forecast:
                live = self._live(forecast.name)
                self._served[forecast.name] = replace(known, is_recorded=True, live=live)

    def _load(self, due: Mapping[ModelName, _Due]) -> dict[Series, pl.DataFrame]:
        needs = (
            (need, cutoff)
            for subject, models, cutoff in due.values()
            for need in self._lineup.needs(subject, models)
        )
        return load_once(self.view, needs)

    def _update(self, subjects: Iterable[Subject]) -> None:
        now = self.view.clock.now()
        due: dict[ModelName, _Due] = {}
        for subject in subjects:
            if subject.series is None:
                self._fail(subject.name, not_stored(subject.name))
                continue
            models = self._lineup.models(subject)
            known = self._served.get(subject.name)
            try:
                newest = self.view.newest_close(subject.series, now)
            except StoreError as error:  # a part of one series in trouble stops no other
                self._fail(subject.name, error)
                continue
            is_current = known is not None and known.models.are(models) and known.forecast.cutoff == newest
            if known is None or not is_current or not known.is_recorded:
                due[subject.name] = (subject, models, newest or now)
        records = self._read_records(due)
        for name in self._take_records(due, records):
            due.pop(name, None)
        stale = {name: one for name, one in due.items() if not self._is_made(name, one)}
        ahead = self._still_ahead(stale, now)
        made = self._make_all(ahead, self._load(ahead), now)
        for name, one in made.items():
            self._put(replace(one, live=self._live(name)))
        self._overlay(made, records)

    def _is_made(self, name: ModelName, due: _Due) -> bool:
        known, (_, models, cutoff) = self._served.get(name), due
        return known is not None and known.models.are(models) and known.forecast.cutoff == cutoff

    def _read_records(self, due: Mapping[ModelName, _Due]) -> Mapping[ModelName, Forecast]:
        if not due:
            return {}
        return self._records.forecasts([(name, at, models.version) for name, (_, models, at) in due.items()])

    def _take_records(
        self,
        due: Mapping[ModelName, _Due],
        records: Mapping[ModelName, Forecast],
    ) -> list[ModelName]:
        taken = []
        for name, (subject, models, _) in due.items():
            kind, found = self._lineup.kind(subject), records.get(name)
            if found is None or not kind.is_told_by_record or not _agrees(found, kind, models):
                continue
            served = replace(found, owner=subject.owner)
            self._put(Served(served, models, is_recorded=True, live=self._live(name)))
            taken.append(name)
        return taken

    def _overlay(self, made: Mapping[ModelName, Served], records: Mapping[ModelName, Forecast]) -> None:
        # of a kind whose record does not tell all, what was written down stands in what is made again
        unread = {name: one for name, one in self._served.items() if name in records and not one.is_recorded}
        for name, one in {**unread, **made}.items():
            kind, found = self.kinds[name.kind], records.get(name)
            if found is None or found.cutoff != one.forecast.cutoff or not _agrees(found, kind, one.models):
                continue
            said = one.forecast.with_steps(found.steps)
            self._put(replace(one, forecast=said, is_recorded=True, live=self._live(name)))

    def _still_ahead(self, due: Mapping[ModelName, _Due], now: datetime) -> dict[ModelName, _Due]:
        # said before it costs a forecast every second
        ahead = {}
        for name, (subject, models, cutoff) in due.items():
            try:
                longest = max(self._lineup.kind(subject).horizons(models), default=1)
            except Exception as error:  # as in `_make_all`
                self._fail(name, kind_failed(name, error))
                continue
            if cutoff + longest * name.timeframe.duration <= now:
                self._fail(name, all_passed(name, cutoff, now))
            else:
                ahead[name] = (subject, models, cutoff)
        return ahead

    def _make_all(
        self, due: Mapping[ModelName, _Due], loaded: Mapping[Series, pl.DataFrame], now: datetime
    ) -> dict[ModelName, Served]:
        made = {}
        for name, (subject, models, cutoff) in due.items():
            try:
                forecast = self._make(subject, models, cutoff, loaded).ahead_of(now)
                if not forecast.steps:
                    raise all_passed(name, cutoff, now)
            except MakeUsRichError as error:
                self._fail(name, error)
                continue
            except Exception as error:  # whatever a kind runs into stops no other name
                self._fail(name, kind_failed(name, error))
                continue
            known = self._served.get(name)
            made[name] = Served(forecast, models, live=known.live if known else {})
            self._put(made[name])
        return made

    def _make(
        self,
        subject: Subject,
        models: ShelvedModels,
        cutoff: datetime,
        loaded: Mapping[Series, pl.DataFrame],
    ) -> Forecast:
        kind = self._lineup.kind(subject)
        frames = {
            need.series: part_of(self.view, loaded, need, cutoff) for need in kind.needs(subject, models)
        }
        forecast = kind.forecast(subject, cutoff, KnownCandles(self.view.market, frames), models)
        if models.version is None or not kind.yardsticks:
            return forecast
        return demoted(forecast, self._records.broken(subject.name, models.version), kind.yardsticks[0])

    def _live(self, name: ModelName) -> Mapping[int, Live]:
        return self._records.live(name, self.owner(name))

    def _put(self, served: Served) -> None:
        name = served.forecast.name
        self._problems.pop(name, None)
        self._served[name] = served

    def _fail(self, name: ModelName, error: MakeUsRichError) -> None:
        # An earlier forecast stays: it grows old in plain sight and is refused at the limit.
        if str(self._problems.get(name)) != str(error):
            _log.warning("no forecast", name=str(name), reason=str(error))
        self._problems[name] = error


def _agrees(record: Forecast, kind: ForecastKind, models: ShelvedModels) -> bool:
    """Say whether a record is of the champion of now, of its question, and whole."""
    try:
        question, horizons = kind.question(models), tuple(kind.horizons(models))
    except Exception as error:  # it is made anew then, and fails where that is said
        _log.debug("record not compared", name=str(record.name), reason=one_line(error))
        return False
    said = tuple(step.horizon for step in record.steps)
    return (record.version, record.question, said) == (models.version, question, horizons)


def _by_name(item: tuple[ModelName, object]) -> str:
    return str(item[0])
