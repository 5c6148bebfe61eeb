"""What is done when a candle has closed: score what fell due, forecast, write it down, and say so."""

from datetime import datetime

import polars as pl
import structlog

from make_us_rich.desk.intake import ClosedCandle, Feed
from make_us_rich.desk.notes import note_late
from make_us_rich.errors import ForecastUnavailableError, MakeUsRichError, UnknownNameError
from make_us_rich.events.bus import Bus
from make_us_rich.events.records import Drifted, ForecastMade, Promoted, Scored
from make_us_rich.forecasting.board import Board, Ready
from make_us_rich.forecasting.kind import KnownCandles, Served
from make_us_rich.journal.drift import Verdict, judge_drift
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.outcome import score_due
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.journal.record import record_forecasts
from make_us_rich.journal.weekly import week_of
from make_us_rich.market.feed import update_candles
from make_us_rich.market.series import Series
from make_us_rich.registry.model_name import ModelName

_LOG = structlog.get_logger("make_us_rich.desk")


class CandleWork:
    """Works off one closed candle: the candles of its series are loaded once and handed down."""

    def __init__(self, feed: Feed, board: Board, journal: Journal, records: JournalRecords, bus: Bus) -> None:
        self._feed = feed
        self._board = board
        self._journal = journal
        self._records = records
        self._bus = bus
        self._judged: dict[ModelName, datetime] = {}
        self._versions: dict[ModelName, int | None] = {}
        self._moment: datetime | None = None

    def work_off(self, candle: ClosedCandle, now: datetime) -> None:
        """Do what a closed candle makes due; a `StoreError` means that it has not been worked off."""
        if candle.moment != self._moment:  # once a round: new candles and models may bring new names
            self._board.look_up()
            self._moment = candle.moment
        self._fetch_others(candle)
        ready = self._board.ready(candle.series, candle.cutoff)
        self._score(candle, ready, now)
        made = self._board.make(ready, candle.moment)
        self._record(made, now)
        for one in made:
            self._judge(one, now)

    def _fetch_others(self, candle: ClosedCandle) -> None:
        # a model may read the candles of pairs the desk does not follow
        followed = set(self._feed.followed())
        for need in self._board.needs(candle.series):
            if need.series in followed or need.count is None:
                continue
            since = candle.cutoff - need.count * need.series.timeframe.duration
            try:
                update_candles(
                    self._feed.source, self._feed.store, need.series, since=since, until=candle.cutoff
                )
            except UnknownNameError as error:
                text = f"{candle.series}: its model reads the market: {error}"
                _LOG.warning("no new forecast", reason=str(ForecastUnavailableError(text)))
            except MakeUsRichError as error:
                _LOG.warning("no new candle", series=str(need.series), reason=str(error))

    def _score(self, candle: ClosedCandle, ready: Ready, now: datetime) -> None:
        def candles_of(name: ModelName, since: datetime) -> KnownCandles:
            series = [need.series for need in ready.needs[name]]
            frames = {one: self._since(ready, one, since, candle.moment) for one in series}
            return KnownCandles(self._journal.market, frames)

        scores = score_due(self._journal, ready.names, candles_of, candle.moment)
        note_late(self._journal, candle.series, [one.target_time for one in scores], now)
        for one in scores:
            self._bus.publish(
                Scored(
                    self._journal.market,
                    candle.moment,
                    one.name,
                    one.horizon,
                    one.target_time,
                    one.loss,
                    one.baseline_loss,
                    one.is_covered,
                    one.owner,
                )
            )

    def _since(self, ready: Ready, series: Series, since: datetime, until: datetime) -> pl.DataFrame:
        loaded = ready.candles.get(series)
        if loaded is not None and len(loaded) and loaded["open_time"].item(0) <= since:
            return loaded
        return self._feed.store.load(series, since, until)

    def _record(self, made: list[Served], now: datetime) -> None:
        forecasts = [one.forecast for one in made]
        record_forecasts(self._journal, forecasts, now)
        self._board.recorded(forecasts)
        for one in made:
            self._tell_promotion(one, now)
            self._tell_forecast(one, now)

    def _tell_forecast(self, served: Served, now: datetime) -> None:
        forecast = served.forecast
        self._bus.publish(
            ForecastMade(
                self._journal.market,
                now,
                str(forecast.name),
                forecast.cutoff,
                forecast.version,
                tuple(step.horizon for step in forecast.steps),
                tuple(step.served_by for step in forecast.steps),
                all(step.quantiles is not None for step in forecast.steps),
                forecast.owner,
            )
        )

    def _tell_promotion(self, served: Served, now: datetime) -> None:
        name, version = served.forecast.name, served.models.version
        if self._versions.get(name, version) != version:
            pointer = self._board.view.shelf.champion(str(name))
            reason = pointer.reason if pointer else "no version is served"
            owner = served.forecast.owner
            self._bus.publish(Promoted(self._journal.market, now, str(name), version, reason, owner))
        self._versions[name] = version

    def _judge(self, served: Served, now: datetime) -> None:
        """Judge drift once a week has ended whose forecasts are all due; a week is judged once."""
        forecast, champion = served.forecast, served.models.champion
        if champion is None or any(step.quantiles is None for step in forecast.steps):
            return
        longest = max(step.horizon for step in forecast.steps)
        week = week_of(now - longest * forecast.name.timeframe.duration)
        if self._judged.get(forecast.name) == week:
            return
        self._judged[forecast.name] = week
        verdicts = judge_drift(self._journal, forecast.name, champion.manifest.version, now)
        self._records.forget()
        for verdict in verdicts:
            self._tell_drift(verdict, now, forecast.owner)

    def _tell_drift(self, verdict: Verdict, now: datetime, owner: int | None) -> None:
        if verdict.state in ("watch", "broken"):
            self._bus.publish(
                Drifted(
                    self._journal.market,
                    now,
                    verdict.name,
                    verdict.horizon,
                    verdict.version,
                    verdict.state,
                    verdict.reason,
                    owner,
                )
            )
