"""The forecasts in service: computed once per closed candle and champion, then memory."""

import threading
from dataclasses import dataclass

import structlog

from make_us_rich.errors import MakeUsRichError
from make_us_rich.models.forecast import PriceForecast
from make_us_rich.registry.artifact import Artifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.champions import Champions
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.forecasting import current_forecast

POLL_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServedForecast:
    """A forecast in service, with the artifact that made it."""

    forecast: PriceForecast
    champion: Artifact | None


class Predictor:
    """The current forecast of every stored series, computed once per closed candle and champion.

    A thread of its own looks for new candles and champions every second; requests read what is there.
    """

    def __init__(self, view: DeskView, poll_seconds: float = POLL_SECONDS) -> None:
        self.champions = Champions(view.shelf)
        self._view = view
        self._poll_seconds = poll_seconds
        self._served: dict[ModelName, ServedForecast] = {}
        self._problems: dict[ModelName, MakeUsRichError] = {}
        self._updating = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look for new candles and champions."""
        self._thread = threading.Thread(target=self._watch, name="predictor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking and wait for what is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

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

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self.refresh()
            except Exception as error:  # the thread has to outlive whatever one round runs into
                _log.error("forecasts not refreshed", reason=str(error))
            self._stop.wait(self._poll_seconds)

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
            next_close = known.forecast.cutoff + series.timeframe.duration
            if now < next_close or not self._view.has_candle_since(series, known.forecast.cutoff):
                return None
        return ServedForecast(current_forecast(self._view, series, champion, now), champion)
