"""The forecasts in service: read from the journal or computed, once per closed candle, then memory."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from make_us_rich.errors import ForecastUnavailableError, MakeUsRichError
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.track_record import TrackRecord
from make_us_rich.models.forecast import HORIZONS, PriceForecast
from make_us_rich.registry.artifact import Artifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.champions import Champions
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.journal_reader import JournalReader
from make_us_rich.serving.made_forecast import make_forecast
from make_us_rich.serving.watching import Watch

POLL_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServedForecast:
    """A forecast in service, with the artifact that made it.

    `is_recorded` says that it stands in the journal; `remarks` say by horizon why a baseline stands where a
    model had earned the horizon, and `live` how past forecasts turned out there.
    """

    forecast: PriceForecast
    champion: Artifact | None
    is_recorded: bool = False
    remarks: Mapping[int, str] = field(default_factory=dict)
    live: Mapping[int, TrackRecord] = field(default_factory=dict)


class Predictor:
    """The current forecast of every stored series: what the journal holds, or computed where it holds none.

    A record of another version than the champion's is not shown, so that a promotion or a rollback counts at
    once. What is computed leaves out targets that have passed; what was recorded stays whole. A thread of its
    own looks for new candles and champions every second; requests read what is there.
    """

    def __init__(
        self, view: DeskView, poll_seconds: float = POLL_SECONDS, journal: Journal | None = None
    ) -> None:
        self.champions = Champions(view.shelf)
        self._view = view
        self._journal = JournalReader(journal)
        self._served: dict[ModelName, ServedForecast] = {}
        self._problems: dict[ModelName, MakeUsRichError] = {}
        self._updating = threading.Lock()
        self._poll_seconds = poll_seconds
        self._watch: Watch | None = None

    def start(self) -> None:
        """Begin to look for new candles and champions."""
        self._watch = Watch("predictor", self.refresh, self._poll_seconds)
        self._watch.start()

    def stop(self) -> None:
        """Stop looking and wait for what is under way."""
        if self._watch is not None:
            self._watch.stop()

    def served(self, name: ModelName) -> ServedForecast | None:
        """Return the forecast in memory, at no cost; None if there is none yet."""
        return self._served.get(name)

    def all_served(self) -> dict[ModelName, ServedForecast]:
        """Return every forecast in memory."""
        return dict(self._served)

    def problems(self) -> dict[ModelName, MakeUsRichError]:
        """Return why there is no new forecast, for each series where that is so."""
        return dict(self._problems)

    def compute(self, name: ModelName) -> ServedForecast:
        """Return the forecast of a stored series, computed now if nobody did; it takes milliseconds."""
        series = self._view.find(name.symbol, name.timeframe)
        with self._updating:
            if name not in self._served:
                self.champions.refresh()
                self._update(series)
            if name not in self._served:
                raise self._problems[name]
            return self._served[name]

    def refresh(self) -> None:
        """Bring every forecast up to the newest closed candle and the current champion."""
        series = self._view.series()
        with self._updating:
            self.champions.refresh()
            for gone in (self._served.keys() | self._problems.keys()) - series.keys():
                self._served.pop(gone, None)
                self._problems.pop(gone, None)
            for one in series.values():
                self._update(one)

    def _update(self, series: Series) -> None:
        name = series.price_name
        try:
            fresh = self._fresh_forecast(series, self._served.get(name))
        except MakeUsRichError as error:
            # An earlier forecast stays: it grows old in plain sight and is refused at the limit.
            if str(self._problems.get(name)) != str(error):
                _log.error("no forecast", name=str(name), reason=str(error))
            self._problems[name] = error
        else:
            self._problems.pop(name, None)
            if fresh is not None:
                self._served[name] = fresh

    def _fresh_forecast(self, series: Series, known: ServedForecast | None) -> ServedForecast | None:
        now = self._view.clock.now()
        champion = self.champions.artifact(str(series.price_name))
        if known is not None and known.champion is champion:
            cutoff = known.forecast.cutoff
            is_newest = now < cutoff + series.timeframe.duration
            if is_newest or not self._view.has_candle_since(series, cutoff):
                return None if known.is_recorded else self._recorded(series, champion, cutoff)
        newest = self._newest_cutoff(series, now)
        if newest is not None and (found := self._recorded(series, champion, newest)) is not None:
            return found
        horizons = champion.manifest.horizons if champion else HORIZONS
        if newest is not None and newest + max(horizons) * series.timeframe.duration <= now:
            raise _all_passed(series, newest, now)  # before it costs a forecast every second
        broken = self._journal.broken(series.price_name, champion)
        made = make_forecast(self._view, series, champion, now, broken)
        forecast = replace(
            made.forecast, steps=tuple(step for step in made.forecast.steps if step.target_time > now)
        )
        if not forecast.steps:
            raise _all_passed(series, forecast.cutoff, now)
        live = self._journal.live(series.price_name)
        return ServedForecast(forecast, champion, remarks=made.remarks, live=live)

    def _recorded(self, series: Series, champion: Artifact | None, cutoff: datetime) -> ServedForecast | None:
        found = self._journal.recorded(series.price_name, champion, cutoff)
        if found is None:
            return None
        live = self._journal.live(series.price_name)
        return ServedForecast(found.forecast, champion, True, found.remarks, live)

    def _newest_cutoff(self, series: Series, now: datetime) -> datetime | None:
        last = self._view.candles.last_open_time(series.source, series.symbol, series.timeframe)
        return None if last is None else min(last + series.timeframe.duration, series.timeframe.floor(now))


def _all_passed(series: Series, cutoff: datetime, now: datetime) -> ForecastUnavailableError:
    hours = (now - cutoff).total_seconds() / 3600
    return ForecastUnavailableError(
        f"{series}: the newest candle closed {hours:.0f} hours ago, so every target has passed; "
        f"wait for the source or run `mur fetch {series.symbol} --timeframe {series.timeframe}`"
    )
