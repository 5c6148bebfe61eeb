"""The trends in service: computed once per closed candle and model, all coins in one pass, then memory."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from make_us_rich.errors import ForecastUnavailableError, MakeUsRichError, UnknownNameError
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.sheet import trend_event
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.models.trend_forecast import TrendForecast
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.journal_reader import JournalReader
from make_us_rich.serving.predictor import POLL_SECONDS
from make_us_rich.serving.trends.forecasting import gather_forecasters, known_candles, trend_forecast
from make_us_rich.serving.trends.models import TREND_KINDS, NewestTrends, TrendChampions, TrendModels
from make_us_rich.serving.watching import Watch

TREND_TIMEFRAME = Timeframe("1d")
"""Every series of this length has trends; those of another length only where a model was shelved."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServedTrend:
    """A trend forecast in service, with the models it was made from.

    `is_recorded` says that its probability is the one that stands in the journal.
    """

    forecast: TrendForecast
    models: TrendModels
    is_recorded: bool = False

    def has_passed(self, now: datetime) -> bool:
        """Say whether it is not in the journal and its target no longer lies ahead."""
        return not self.is_recorded and self.forecast.target_time <= now


class TrendPredictor:
    """The current trends of every stored daily series, up and down.

    A thread of its own looks for new candles and models every second; requests read what is there.
    """

    def __init__(
        self, view: DeskView, poll_seconds: float = POLL_SECONDS, journal: Journal | None = None
    ) -> None:
        self._journal = JournalReader(journal)
        self.champions = TrendChampions(view.shelf)
        self._newest = NewestTrends(view.shelf)
        self._view = view
        self._served: dict[ModelName, ServedTrend] = {}
        self._problems: dict[ModelName, MakeUsRichError] = {}
        self._updating = threading.Lock()
        self._is_complete = False
        self._watch = Watch("trends", self.refresh, poll_seconds)

    def start(self) -> None:
        """Begin to look for new candles and models."""
        self._watch.start()

    def stop(self) -> None:
        """Stop looking and wait for what is under way."""
        self._watch.stop()

    def all_served(self) -> dict[ModelName, ServedTrend]:
        """Return every trend that is recorded or still ahead, computed first if nobody did yet."""
        if not self._is_complete:
            self.refresh()
        now = self._view.clock.now()
        return {name: one for name, one in self._served.items() if not one.has_passed(now)}

    def problems(self) -> dict[ModelName, MakeUsRichError]:
        """Return why there is no new forecast, for each trend where that is so."""
        now = self._view.clock.now()
        passed = {name: _passed(one.forecast) for name, one in self._served.items() if one.has_passed(now)}
        return passed | self._problems

    def served(self, names: Sequence[ModelName]) -> list[ServedTrend]:
        """Return those of some trends there are; if there are none, what stands in the way is raised."""
        served = self.all_served()
        found = [served[name] for name in names if name in served]
        if not found:
            raise self.problems().get(names[0], _not_stored(names[0]))
        return found

    def refresh(self) -> None:
        """Bring every trend up to the newest closed candle and the current models."""
        with self._updating:
            self.champions.refresh()
            self._newest.refresh()
            wanted = self._wanted()
            for gone in (self._served.keys() | self._problems.keys()) - wanted.keys():
                self._served.pop(gone, None)
                self._problems.pop(gone, None)
            for series, names in _by_series(wanted).items():
                self._update(series, names)
            for name in (name for name, series in wanted.items() if series is None):
                self._fail(name, _not_stored(name))
            self._take_records()
            self._is_complete = True

    def _take_records(self) -> None:
        # a record of another version or question than that of now is not shown, as with prices
        unread = {name: one for name, one in self._served.items() if not one.is_recorded}
        if not unread:
            return
        cutoffs = {one.forecast.cutoff for one in unread.values()}
        records = self._journal.recorded_trends([str(name) for name in unread], cutoffs)
        for name, one in unread.items():
            made = one.forecast
            found = records.get((made.name, made.cutoff))
            if found and (found.version, found.event) == (made.model_version, trend_event(made.label)):
                said = replace(
                    made,
                    probability=found.probability,
                    served_by=found.served_by,
                    is_baseline=found.served_by in TREND_BASELINES,
                )
                self._served[name] = ServedTrend(said, one.models, is_recorded=True)

    def _wanted(self) -> dict[ModelName, Series | None]:
        stored = self._view.series()
        daily = [one for one in stored.values() if one.timeframe == TREND_TIMEFRAME]
        wanted: dict[ModelName, Series | None] = {
            name: one for one in daily for name in trend_names(one.symbol, one.timeframe)
        }
        for name in map(ModelName.parse, self._view.shelf.names(TREND_KINDS)):
            wanted.setdefault(name, stored.get(ModelName("price", name.symbol, name.timeframe)))
        return wanted

    def _update(self, series: Series, names: Iterable[ModelName]) -> None:
        due = {name: self._models(name) for name in names if self._is_due(series, name)}
        if not due:
            return
        is_whole = any(models.described is None for models in due.values())
        try:
            candles = known_candles(self._view, series, self._view.clock.now(), is_whole=is_whole)
        except MakeUsRichError as error:
            for name in due:
                self._fail(name, error)
            return
        for name, models in due.items():
            self._make(name, models, candles)

    def _make(self, name: ModelName, models: TrendModels, candles: CandleArrays) -> None:
        try:
            forecasters = gather_forecasters(self._view, name, models, candles)
            made = trend_forecast(name, candles.close_time(name.timeframe), candles, forecasters)
        except MakeUsRichError as error:
            self._fail(name, error)
        else:
            self._problems.pop(name, None)
            self._served[name] = ServedTrend(made, models)

    def _models(self, name: ModelName) -> TrendModels:
        return TrendModels(self.champions.artifact(str(name)), self._newest.artifact(str(name)))

    def _is_due(self, series: Series, name: ModelName) -> bool:
        known = self._served.get(name)
        if known is None or not known.models.are(self._models(name)):
            return True
        cutoff = known.forecast.cutoff
        is_closed = self._view.clock.now() >= cutoff + series.timeframe.duration
        return is_closed and self._view.has_candle_since(series, cutoff)

    def _fail(self, name: ModelName, error: MakeUsRichError) -> None:
        # An earlier forecast stays: it grows old in plain sight and is refused at the limit.
        if str(self._problems.get(name)) != str(error):
            _log.warning("no trend forecast", name=str(name), reason=str(error))
        self._problems[name] = error


def trend_names(symbol: Symbol, timeframe: Timeframe) -> list[ModelName]:
    """Return the names of the trends of a coin, up first."""
    return [ModelName(kind, symbol, timeframe) for kind in TREND_KINDS]


def _not_stored(name: ModelName) -> UnknownNameError:
    return UnknownNameError(
        f"{name.symbol} {name.timeframe}: no candles are stored; "
        f"run `mur fetch {name.symbol} --timeframe {name.timeframe}`"
    )


def _passed(forecast: TrendForecast) -> ForecastUnavailableError:
    return ForecastUnavailableError(
        f"{forecast.symbol} {forecast.timeframe}: the target of its newest trend passed on "
        f"{forecast.target_time:%Y-%m-%d}; wait for the source or run "
        f"`mur fetch {forecast.symbol} --timeframe {forecast.timeframe}`"
    )


def _by_series(wanted: Mapping[ModelName, Series | None]) -> dict[Series, list[ModelName]]:
    grouped: dict[Series, list[ModelName]] = {}
    for name, series in wanted.items():
        if series is not None:
            grouped.setdefault(series, []).append(name)
    return grouped
