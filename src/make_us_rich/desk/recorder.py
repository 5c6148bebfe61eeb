"""What the desk does with the journal at a closed candle: score what fell due, write down what comes next."""

import hashlib
from datetime import datetime

import polars as pl

from make_us_rich.desk.arrivals import note_late
from make_us_rich.journal.drift import Verdict, broken_horizons, judge_drift
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.outcome import Score, closes_as_actuals, due_questions, score_due
from make_us_rich.journal.record import record_sheets
from make_us_rich.journal.sheet import price_sheet
from make_us_rich.journal.weekly import week_of
from make_us_rich.market.candle import CandleArrays
from make_us_rich.models.baselines import HISTORY_DAYS
from make_us_rich.models.forecast import HORIZONS, PriceForecast
from make_us_rich.registry.artifact import Artifact
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.forecasting import current_forecast
from make_us_rich.serving.made_forecast import make_forecast
from make_us_rich.serving.volatility import VolatilityYardstick


class PriceRecorder:
    """The one that writes price forecasts down and scores them."""

    def __init__(self, journal: Journal, view: DeskView) -> None:
        self._journal = journal
        self._view = view
        self._volatility = VolatilityYardstick()
        self._judged: dict[str, datetime] = {}

    def record(
        self, series: Series, champion: Artifact | None, moment: datetime, now: datetime
    ) -> PriceForecast:
        """Make the forecast of the candles that had closed at `moment`, write it down, and return it."""
        broken = (
            broken_horizons(self._journal, str(series.price_name), champion.manifest.version)
            if champion
            else {}
        )
        made = make_forecast(self._view, series, champion, moment, broken)
        persistence = made.persistence or current_forecast(self._view, series, None, moment)
        candles = self._view.closed_candles(series, HISTORY_DAYS * series.timeframe.candles_per_day, moment)
        volatility = self._volatility.beside(champion, made.forecast, candles)
        sheet = price_sheet(made.forecast, persistence, volatility, inputs_hash(made.inputs), made.remarks)
        record_sheets(self._journal, [sheet], now)
        return made.forecast

    def score(self, series: Series, moment: datetime, now: datetime) -> list[Score]:
        """Score what fell due by `moment` and whose candles are stored; what came late is noted."""
        name, duration = str(series.price_name), series.timeframe.duration
        due = due_questions(self._journal, name, moment)
        if not due:
            return []
        candles = self._view.candles.load(
            series.source,
            series.symbol,
            series.timeframe,
            since=due[0].target_time - duration,
            until=due[-1].target_time,
        )
        closes = {
            open_time + duration: close
            for open_time, close in candles.select("open_time", "close").iter_rows()
            if close is not None and close > 0
        }
        scores = score_due(self._journal, name, closes_as_actuals(closes), moment)
        scored = [one.target_time for one in due if one.target_time in closes]
        note_late(self._journal, series, scored, now)
        return scores

    def judge(self, series: Series, champion: Artifact | None, now: datetime) -> list[Verdict]:
        """Judge drift once a week has ended whose forecasts are all due; a week is judged once."""
        name = series.price_name
        week = week_of(now - max(HORIZONS) * series.timeframe.duration)
        if champion is None or self._judged.get(str(name)) == week:
            return []
        self._judged[str(name)] = week
        return judge_drift(self._journal, name, champion.manifest.version, now)


def candles_hash(candles: pl.DataFrame) -> str:
    """Return the SHA-256 of open times and values of candles."""
    return inputs_hash(CandleArrays.from_frame(candles))


def inputs_hash(inputs: CandleArrays) -> str:
    """Return the SHA-256 of what a forecast was made from: open times, candles, activity if any."""
    digest = hashlib.sha256(inputs.open_time_ms.tobytes())
    digest.update(inputs.ohlcv.tobytes())
    if inputs.activity is not None:
        digest.update(inputs.activity.tobytes())
    return digest.hexdigest()
