"""A watchlist valued: each holding by its own forecast, and one total per quote currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

import numpy as np
import polars as pl

from make_us_rich.accounts.holdings import Interval, combine, return_correlation
from make_us_rich.arrays import FloatArray
from make_us_rich.database.tables import WatchlistEntry
from make_us_rich.errors import MakeUsRichError
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.forecast import ForecastStep
from make_us_rich.forecasting.kind import Served
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.price.kind import price_name
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import LEVEL_KEYS
from make_us_rich.serving.account_schemas import (
    HoldingAnswer,
    HoldingStep,
    TotalAnswer,
    TotalStep,
    WatchlistAnswer,
)
from make_us_rich.serving.freshness import freshness_of, require_answerable

CORRELATION_SPAN = timedelta(days=365)

_LOW, _MIDDLE, _HIGH = (LEVEL_KEYS.index(level) for level in ("0.05", "0.5", "0.95"))
_DAY = timedelta(days=1)
_ALONE = "one pair: its own interval"
_AS_ONE = (
    "half-widths of the 90 % intervals added up, as if all prices moved as one: "
    "too few candles in common to tell their correlation"
)
_CORRELATED = (
    "half-widths of the 90 % intervals combined by the correlation of the returns of the past year, upper "
    "and lower ones apart: u² = Σᵢⱼ ρᵢⱼ uᵢ uⱼ; in a crash prices move more alike, up to widest_90"
)


@dataclass(frozen=True, slots=True)
class _Held:
    series: Series
    amount: float
    served: Served
    day_ago: float | None

    @property
    def value(self) -> float:
        return self.amount * self.served.forecast.last_close

    @property
    def value_day_ago(self) -> float | None:
        return None if self.day_ago is None else self.amount * self.day_ago

    def interval(self, horizon: int) -> Interval:
        step = next(one for one in self.served.forecast.steps if one.horizon == horizon)
        return _interval(step, self.amount)


def value_watchlist(board: Board, entries: Sequence[WatchlistEntry], timeframe: Timeframe) -> WatchlistAnswer:
    """Return what a user's pairs are worth now and, within 90 % intervals, later; takes some milliseconds."""
    view = board.view
    holdings: list[HoldingAnswer] = []
    held: list[_Held] = []
    for entry in entries:
        symbol = Symbol.parse(entry.symbol)
        try:
            one = _look_up(board, symbol, timeframe, entry.amount)
        except MakeUsRichError as error:
            holdings.append(_unknown(symbol, entry.amount, str(error)))
            continue
        holdings.append(_holding(view, one))
        if one.amount:
            held.append(one)
    quotes = sorted({one.series.symbol.quote for one in held})
    totals = [
        _total(view, quote, [one for one in held if one.series.symbol.quote == quote]) for quote in quotes
    ]
    return WatchlistAnswer(
        market=view.market,
        notice=view.notice,
        timeframe=str(timeframe),
        holdings=tuple(holdings),
        totals=tuple(totals),
    )


def _look_up(board: Board, symbol: Symbol, timeframe: Timeframe, amount: float) -> _Held:
    view = board.view
    series = view.find(symbol, timeframe)
    served = board.served(price_name(series)) or board.compute(price_name(series))
    require_answerable(served, view)
    return _Held(series, amount, served, _close_a_day_before(view, series, served))


def _close_a_day_before(view: MarketView, series: Series, served: Served) -> float | None:
    moment = served.forecast.cutoff - _DAY
    last = view.candles.load(series, moment - series.timeframe.duration, moment)
    return float(last["close"][-1]) if last.height else None


def _holding(view: MarketView, held: _Held) -> HoldingAnswer:
    forecast = held.served.forecast
    change = None if held.day_ago is None else forecast.last_close / held.day_ago - 1
    return HoldingAnswer(
        symbol=str(forecast.name.symbol),
        amount=held.amount,
        quote=held.series.symbol.quote,
        price=forecast.last_close,
        value=held.value,
        change_24h=change,
        change_24h_value=None if held.value_day_ago is None else held.value - held.value_day_ago,
        cutoff=forecast.cutoff,
        stale=freshness_of(forecast, view.clock.now()).is_stale,
        steps=tuple(_holding_step(step, held.amount) for step in forecast.steps),
        reason=None,
    )


def _holding_step(step: ForecastStep, amount: float) -> HoldingStep:
    interval = _interval(step, amount)
    return HoldingStep(
        horizon=step.horizon,
        target_time=step.target_time,
        median=interval.median,
        interval_90=(interval.low, interval.high),
        is_baseline=step.is_baseline,
    )


def _unknown(symbol: Symbol, amount: float, reason: str) -> HoldingAnswer:
    return HoldingAnswer(
        symbol=str(symbol),
        amount=amount,
        quote=symbol.quote,
        price=None,
        value=None,
        change_24h=None,
        change_24h_value=None,
        cutoff=None,
        stale=None,
        steps=(),
        reason=reason,
    )


def _total(view: MarketView, quote: str, held: Sequence[_Held]) -> TotalAnswer:
    correlation = _correlation(view, held)
    as_one = np.ones((len(held), len(held)))
    value = sum(one.value for one in held)
    days_ago = [one.value_day_ago for one in held]
    known = [each for each in days_ago if each is not None]
    earlier = sum(known) if len(known) == len(held) else None
    return TotalAnswer(
        quote=quote,
        symbols=tuple(str(one.series.symbol) for one in held),
        value=value,
        change_24h=value / earlier - 1 if earlier else None,
        change_24h_value=None if earlier is None else value - earlier,
        steps=tuple(
            _total_step(held, horizon, as_one if correlation is None else correlation)
            for horizon in _common_horizons(held)
        ),
        combined_by=_ALONE if len(held) == 1 else _AS_ONE if correlation is None else _CORRELATED,
        correlation=None if correlation is None else tuple(tuple(map(float, row)) for row in correlation),
    )


def _total_step(held: Sequence[_Held], horizon: int, correlation: FloatArray) -> TotalStep:
    parts = [one.interval(horizon) for one in held]
    likely = combine(parts, correlation)
    widest = combine(parts, np.ones_like(correlation))
    return TotalStep(
        horizon=horizon,
        median=likely.median,
        interval_90=(likely.low, likely.high),
        widest_90=(widest.low, widest.high),
    )


def _common_horizons(held: Sequence[_Held]) -> list[int]:
    return sorted(set.intersection(*({step.horizon for step in one.served.forecast.steps} for one in held)))


def _correlation(view: MarketView, held: Sequence[_Held]) -> FloatArray | None:
    """The correlation of one-candle returns over the past year, at the times all of them have."""
    if len(held) == 1:
        return np.ones((1, 1))
    closes = [_log_closes(view, one, f"close{number}") for number, one in enumerate(held)]
    common = reduce(lambda left, right: left.join(right, on="open_time", how="inner"), closes).sort(
        "open_time"
    )
    return return_correlation(common.drop("open_time").to_numpy())


def _log_closes(view: MarketView, held: _Held, name: str) -> pl.DataFrame:
    series, until = held.series, held.served.forecast.cutoff
    candles = view.candles.load(series, until - CORRELATION_SPAN, until)
    return candles.select("open_time", pl.col("close").log().alias(name))


def _interval(step: ForecastStep, amount: float) -> Interval:
    quantiles = step.quantiles or ()
    return Interval(*(amount * quantiles[level] for level in (_LOW, _MIDDLE, _HIGH)))
