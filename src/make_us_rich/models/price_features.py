"""The price features: one torch module over raw candles, used alike in training, backtest and export.

All arithmetic is float64, because float32 closes cost 2e-4 on normalised returns. Only operations that
ONNX Runtime has for float64 are used. Row t of every output uses candles up to and including row t.
"""

import math
from datetime import UTC, datetime
from typing import NamedTuple

import torch
from torch import Tensor, nn

from make_us_rich.market.activity import ACTIVITY_COLUMNS
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.activity_features import ActivityFeatures, Surroundings
from make_us_rich.models.rolling import rolling_mean, shift

VOLATILITY_SPANS = (1, 2, 4, 8, 12, 24, 48, 96, 168, 336, 720)
RETURN_SPANS = (1, 4, 12, 24)
SEASONAL_LEADS = (1, 2, 4)
LOG_SPANS = (2, 4, 8, 24, 72, 168)
VOLUME_SPANS = (1, 4, 24)
NEW_YORK_HOURS = tuple(range(6, 18))
WARM_UP = max(VOLATILITY_SPANS)
_MS_PER_HOUR = 3_600_000
_HOURS_PER_WEEK = 168
_THURSDAY = 3  # the weekday of 1970-01-01 counted from Monday
_TINY_VARIANCE = 1e-16
_FLOOR_SPAN = 336  # with the longest mean of logs behind it still inside the warm-up
_LONGEST_WEEK = 480  # likewise, with the longest mean of volume
_VARIANCE_FLOOR = 1e-3  # of the long-run mean: a motionless candle is quiet, not infinitely quiet
_GARMAN_KLASS_CLOSE_WEIGHT = 2 * math.log(2) - 1


class PriceColumns(NamedTuple):
    """What the models read of each candle; b = batch, t = candles.

    `steps` (b, t, n_steps) are the network's scale-free inputs, `regressors` (b, t, n_regressors) those of
    the volatility regression, `context` (b, t, n_context) what the wide regression reads besides,
    `week_volatility` (b, t) the yardstick of one candle's move. `further` (b, t, k) are the columns of other
    features as they came, NaN where one says nothing; a model scales them by what it was fitted on.
    """

    steps: Tensor
    regressors: Tensor
    context: Tensor
    week_volatility: Tensor
    further: Tensor | None = None


class _Parts(NamedTuple):
    log_volatility: dict[int, Tensor]
    week: Tensor
    returns: list[Tensor]
    relative_range: Tensor
    position: Tensor
    seasonal: list[Tensor]
    volume_deviation: Tensor
    mean_logs: list[Tensor]
    mean_volumes: list[Tensor]
    calendar: dict[str, Tensor]
    activity: list[Tensor]


class PriceFeatures(nn.Module):
    """Open times (b, t) and candles (b, t, 5) to `PriceColumns`; the first `WARM_UP` rows are not valid.

    With `columns`, by name, it also reads those (b, t, k). The raw ones it has a formula for come first, and
    add the same scale-free columns to the steps and to the context; the others are handed on as `further`.
    """

    _clock_changes: Tensor

    def __init__(self, timeframe: Timeframe, columns: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.candle_ms = timeframe.milliseconds
        self.per_day = timeframe.candles_per_day
        self.week_span = week_span(timeframe)
        self.n_past_days = min(14, WARM_UP // self.per_day) if self.per_day > 1 else 0
        raw = tuple(name for name in columns if name in ACTIVITY_COLUMNS.values())
        if raw != columns[: len(raw)]:
            raise ValueError(f"raw columns come before all others, found {', '.join(columns)}")
        self.activity = ActivityFeatures(raw, self.week_span)
        self.further_names = columns[len(raw) :]
        self.step_names = (*self._name_steps(), *self.activity.names)
        self.regressor_names = (
            "constant",
            *(f"log_volatility_span{span}" for span in VOLATILITY_SPANS),
            *(f"hour_{hour}" for hour in range(1, 24)),
            "is_weekend",
        )
        self.context_names = (*self._name_context(), *self.activity.names)
        # New York's clock moves the busiest hours of the day; the changes are fixed when the graph is built
        self.register_buffer("_clock_changes", torch.tensor(new_york_clock_changes()), persistent=False)

    def _name_steps(self) -> tuple[str, ...]:
        leads = SEASONAL_LEADS if self.n_past_days else ()
        return (
            *(f"return_lag{span}" for span in RETURN_SPANS),
            "range",
            "close_in_range",
            *(f"log_volatility_span{span}" for span in VOLATILITY_SPANS),
            "log_volatility_week",
            *(f"seasonal_volatility_lead{lead}" for lead in leads),
            "hour_sin",
            "hour_cos",
            "half_day_sin",
            "half_day_cos",
            "is_weekend",
            "volume_deviation",
        )

    def _name_context(self) -> tuple[str, ...]:
        return (
            *(f"mean_log_volatility_span{span}" for span in LOG_SPANS),
            *(f"seasonal_volatility_lead{lead}" for lead in self._leads),
            *(f"volume_deviation_span{span}" for span in VOLUME_SPANS),
            *(f"absolute_return_lag{span}" for span in RETURN_SPANS[:2]),
            *(f"fall_lag{span}" for span in (1, 4, 24)),
            "log_absolute_return_lag1",
            *(f"weekend_hour_{hour}" for hour in range(24)),
            *(f"weekday_{day}" for day in range(1, 6)),
            *(f"new_york_hour_{hour}" for hour in NEW_YORK_HOURS),
        )

    def forward(
        self, open_time_ms: Tensor, ohlcv: Tensor, keep: int | None = None, columns: Tensor | None = None
    ) -> PriceColumns:
        """Compute every column of every row, or, for a forecast, of the last `keep` rows only."""

        def last(column: Tensor) -> Tensor:
            return column if keep is None else column[:, -keep:]

        log_low, log_close = torch.log(ohlcv[..., 2]), torch.log(ohlcv[..., 3])
        variance = garman_klass_variance(ohlcv)
        floor = rolling_mean(variance, _FLOOR_SPAN) * _VARIANCE_FLOOR + _TINY_VARIANCE
        log_volatility = {
            span: 0.5 * torch.log(torch.maximum(last(rolling_mean(variance, span)), last(floor)))
            for span in (*VOLATILITY_SPANS, self.week_span)
        }
        week = log_volatility[self.week_span]
        log_range = last(torch.log(ohlcv[..., 1]) - log_low)
        volume = ohlcv[..., 4]
        mean_volume = rolling_mean(volume, self.week_span)
        volume_deviation = torch.log((volume + 0.01 * mean_volume + 1e-12) / (1.01 * mean_volume + 1e-12))
        log_candle = 0.5 * torch.log(torch.maximum(variance, floor))
        parts = _Parts(
            log_volatility=log_volatility,
            week=week,
            returns=[
                last(log_close - shift(log_close, k)) / (torch.exp(week) * math.sqrt(k)) for k in RETURN_SPANS
            ],
            relative_range=log_range / torch.exp(week),
            position=last(log_close - log_low) / (log_range + 1e-12) - 0.5,
            seasonal=[last(self._seasonal(variance, lead, floor)) for lead in self._leads],
            volume_deviation=last(volume_deviation),
            mean_logs=[last(rolling_mean(log_candle + 30.0, span)) - 30.0 for span in LOG_SPANS],
            mean_volumes=[last(rolling_mean(volume_deviation + 30.0, span)) - 30.0 for span in VOLUME_SPANS],
            calendar=self._calendar(last(open_time_ms)),
            activity=self.activity.columns(columns, Surroundings(volume, week, keep)),
        )
        return PriceColumns(
            steps=_stack_steps(parts),
            regressors=_stack_regressors(parts),
            context=_stack_context(parts, self._new_york_hours(last(open_time_ms), parts.calendar)),
            week_volatility=torch.exp(week),
            further=self._further(columns, keep),
        )

    def _further(self, columns: Tensor | None, keep: int | None) -> Tensor | None:
        if not self.further_names:
            return None
        if columns is None:
            raise ValueError(f"the features read {', '.join(self.further_names)}, but no columns were given")
        further = columns[..., len(self.activity.raw) :]
        return further if keep is None else further[:, -keep:]

    def _new_york_hours(self, open_time_ms: Tensor, calendar: dict[str, Tensor]) -> list[Tensor]:
        """Whether the forecast begins in this hour of a New York weekday, for each of `NEW_YORK_HOURS`."""
        close_ms = open_time_ms + self.candle_ms
        changes: Tensor = self._clock_changes
        n_changes = (close_ms[..., None] >= changes).sum(-1)
        summer = n_changes - torch.div(n_changes, 2, rounding_mode="floor") * 2
        hours = torch.div(close_ms, _MS_PER_HOUR, rounding_mode="floor") + 24 - 5 + summer
        local = hours - torch.div(hours, 24, rounding_mode="floor") * 24
        return [((local == hour) & ~calendar["on_weekend"]).double() for hour in NEW_YORK_HOURS]

    @property
    def _leads(self) -> tuple[int, ...]:
        return SEASONAL_LEADS if self.n_past_days else ()

    def _seasonal(self, variance: Tensor, lead: int, floor: Tensor) -> Tensor:
        """Log volatility, over past days, of the same time of day as the next `lead` candles."""
        future = rolling_mean(variance, lead)  # of the `lead` candles that end at this row
        total = torch.zeros_like(variance)
        for day in range(1, self.n_past_days + 1):
            total = total + shift(future, day * self.per_day - lead)
        return 0.5 * torch.log(torch.maximum(total / self.n_past_days, floor))

    def _calendar(self, open_time_ms: Tensor) -> dict[str, Tensor]:
        """Time of the cutoff, which is the close of the candle: the hour that is forecast begins there."""
        close_ms = open_time_ms + self.candle_ms
        hours_since_epoch = torch.div(close_ms, _MS_PER_HOUR, rounding_mode="floor")
        hour = hours_since_epoch - torch.div(hours_since_epoch, 24, rounding_mode="floor") * 24
        day = torch.div(hours_since_epoch, 24, rounding_mode="floor") + _THURSDAY
        weekday = day - torch.div(day, 7, rounding_mode="floor") * 7
        # ONNX Runtime has no float64 sine, so both circles are looked up
        angle = torch.arange(24, dtype=torch.float64) * (2 * math.pi / 24)
        return {
            "hour": hour,
            "sin": torch.sin(angle)[hour],
            "cos": torch.cos(angle)[hour],
            "half_sin": torch.sin(2 * angle)[hour],
            "half_cos": torch.cos(2 * angle)[hour],
            "weekday": weekday,
            "on_weekend": weekday >= 5,
            "weekend": (weekday >= 5).to(torch.float64),
        }


def _stack_steps(parts: _Parts) -> Tensor:
    calendar, week = parts.calendar, parts.week
    columns = [
        *(torch.clamp(move, -10.0, 10.0) for move in parts.returns),
        torch.clamp(parts.relative_range, 0.0, 15.0) - 1.5,
        parts.position,
        *(parts.log_volatility[span] - week for span in VOLATILITY_SPANS),
        week + 5.0,  # hourly volatility of crypto is about e^-5: centres the level
        *(column - week for column in parts.seasonal),
        *(calendar[name] for name in ("sin", "cos", "half_sin", "half_cos", "weekend")),
        parts.volume_deviation,
        *parts.activity,
    ]
    return torch.stack(columns, dim=-1)


def _stack_regressors(parts: _Parts) -> Tensor:
    columns = [
        torch.ones_like(parts.week),
        *(parts.log_volatility[span] for span in VOLATILITY_SPANS),
        *((parts.calendar["hour"] == hour).double() for hour in range(1, 24)),
        parts.calendar["weekend"],
    ]
    return torch.stack(columns, dim=-1)


def _stack_context(parts: _Parts, new_york_hours: list[Tensor]) -> Tensor:
    calendar, returns = parts.calendar, parts.returns
    columns = [
        *parts.mean_logs,
        *parts.seasonal,
        *parts.mean_volumes,
        *(move.abs() for move in returns[:2]),
        *(torch.clamp(returns[RETURN_SPANS.index(span)], max=0.0) for span in (1, 4, 24)),
        torch.log(1.0 + returns[0].abs()),
        *(((calendar["hour"] == hour) & calendar["on_weekend"]).double() for hour in range(24)),
        *((calendar["weekday"] == day).double() for day in range(1, 6)),
        *new_york_hours,
        *parts.activity,
    ]
    return torch.stack(columns, dim=-1)


def new_york_clock_changes() -> list[int]:
    """Return when New York's clocks go forward and back, in turn, 2007 to 2099, in milliseconds UTC.

    Second Sunday of March at 07:00 UTC and first Sunday of November at 06:00 UTC (Energy Policy Act of 2005).

    >>> from datetime import UTC, datetime
    >>> [str(datetime.fromtimestamp(ms / 1000, UTC)) for ms in new_york_clock_changes()[38:40]]
    ['2026-03-08 07:00:00+00:00', '2026-11-01 06:00:00+00:00']
    """
    changes = []
    for year in range(2007, 2100):
        for month, sunday, hour in ((3, 2, 7), (11, 1, 6)):
            first = datetime(year, month, 1, hour, tzinfo=UTC)
            day = 1 + (6 - first.weekday()) % 7 + 7 * (sunday - 1)
            changes.append(round(first.replace(day=day).timestamp() * 1000))
    return changes


def garman_klass_variance(ohlcv: Tensor) -> Tensor:
    """Variance (...,) of the log price within each candle (..., 5), float64.

    Garman and Klass, "On the Estimation of Security Price Volatilities from Historical Data", Journal of
    Business 53 (1980): half the squared log range less (2 ln 2 - 1) of the squared log move.
    """
    log_open, log_high, log_low, log_close = (torch.log(ohlcv[..., i]) for i in range(4))
    return 0.5 * (log_high - log_low) ** 2 - _GARMAN_KLASS_CLOSE_WEIGHT * (log_close - log_open) ** 2


def week_span(timeframe: Timeframe) -> int:
    """Return how many candles, 24 to 480, measure the trailing week's volatility."""
    return min(max(_HOURS_PER_WEEK * 60 // timeframe.minutes, 24), _LONGEST_WEEK)
