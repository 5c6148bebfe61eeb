"""The trends of every stored daily series, once a day: score what fell due, write down what comes next."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import structlog

from make_us_rich.desk.arrivals import note_late, note_revised, take_in
from make_us_rich.desk.recorder import candles_hash
from make_us_rich.errors import MakeUsRichError
from make_us_rich.features.indicators import WARM_UP
from make_us_rich.features.trend_labels import LabelKind, TrendLabel, trend_labels
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.outcome import Question, Score, due_questions, score_due
from make_us_rich.journal.record import record_sheets
from make_us_rich.journal.sheet import trend_sheet
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.quality import fill_gaps
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.models.forecast import FloatArray
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.trends.forecasting import direction_of
from make_us_rich.serving.trends.predictor import TREND_TIMEFRAME, TrendPredictor, trend_names

_LOG = structlog.get_logger("make_us_rich.desk")
_AVERAGED = timedelta(days=60)  # before a cutoff: more than any label looks back


class TrendRecorder:
    """The one that writes trend forecasts down and scores them."""

    def __init__(self, journal: Journal, view: DeskView, source: CandleSource) -> None:
        self._journal = journal
        self._view = view
        self._source = source
        self._kept: dict[str, datetime] = {}

    def keep(self, moment: datetime, now: datetime) -> list[Score]:
        """Do what is due for every series whose newest day was not worked off yet."""
        day = TREND_TIMEFRAME.floor(moment)
        due = [one for one in self._series() if self._kept.get(str(one)) != day]
        fresh = [one for one in due if self._bring_up(one, day, now)]
        if not fresh:
            return []
        scores = [score for one in fresh for score in self._score(one, moment, now)]
        self._record(fresh, moment, now)
        self._kept.update({str(one): day for one in fresh})
        return scores

    def _series(self) -> list[Series]:
        return [
            one
            for one in self._view.series().values()
            if one.timeframe == TREND_TIMEFRAME and one.source == self._source.name
        ]

    def _bring_up(self, series: Series, day: datetime, now: datetime) -> bool:
        store = self._view.candles

        def on_revised(arrived: pl.DataFrame) -> None:
            note_revised(self._journal, self._view, series, arrived, now)

        try:
            take_in(self._source, store, series, day, on_revised)
        except MakeUsRichError as error:
            _LOG.warning("no new daily candle", series=str(series), reason=str(error))
        newest = store.last_open_time(series.source, series.symbol, series.timeframe)
        return newest is not None and newest + TREND_TIMEFRAME.duration >= day

    def _score(self, series: Series, moment: datetime, now: datetime) -> list[Score]:
        scores = []
        for name in trend_names(series.symbol, series.timeframe):
            due = due_questions(self._journal, str(name), moment)
            if due:
                came = self._labels(series, name, due)
                scores += score_due(self._journal, str(name), came.get, moment)
                note_late(self._journal, series, [one.target_time for one in came], now)
        return scores

    def _labels(self, series: Series, name: ModelName, due: list[Question]) -> dict[Question, float]:
        since = min(one.cutoff for one in due) - _AVERAGED
        stored = self._view.candles.load(series.source, series.symbol, series.timeframe, since=since)
        candles = CandleArrays.from_frame(fill_gaps(stored, series.timeframe))
        step = series.timeframe.milliseconds
        row_of = {int(time) + step: row for row, time in enumerate(candles.open_time_ms)}
        labels = {event: _labels_of(event, name, candles) for event in {one.event for one in due} if event}
        found = {}
        for one in due:
            row = row_of.get(int(one.cutoff.timestamp() * 1000))
            if row is not None and one.event and not np.isnan(labels[one.event][row]):
                found[one] = float(labels[one.event][row])
        return found

    def _record(self, fresh: list[Series], moment: datetime, now: datetime) -> None:
        view = replace(self._view, clock=ReplayClock(moment, moment, None))
        predictor = TrendPredictor(view)
        wanted = {str(name): one for one in fresh for name in trend_names(one.symbol, one.timeframe)}
        sheets = []
        for served in predictor.all_served().values():
            series = wanted.get(served.forecast.name)
            if series is not None:
                seen = view.closed_candles(series, WARM_UP, moment)
                sheets.append(trend_sheet(served.forecast, candles_hash(seen)))
        record_sheets(self._journal, sheets, now)


def _labels_of(event: str, name: ModelName, candles: CandleArrays) -> FloatArray:
    kind, average, horizon, threshold = event.split("/")
    known: dict[str, LabelKind] = {
        "sma-change": "sma-change",
        "close-change": "close-change",
        "touch": "touch",
    }
    label = TrendLabel(known[kind], int(average), int(horizon), float(threshold))
    return trend_labels(candles.ohlcv, label, direction_of(name))
