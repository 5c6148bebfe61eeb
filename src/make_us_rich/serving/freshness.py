"""How old an answer may be: fresh until the next candle is due, then stale with its age, then refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from make_us_rich.errors import ForecastUnavailableError
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.forecast import PriceForecast
from make_us_rich.models.trend_forecast import TrendForecast
from make_us_rich.serving.desk_view import DeskView

STALE_GRACE = timedelta(minutes=2)
"""What a source may take to deliver a candle that has closed."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """The age of a forecast: time since the close of the last candle it knows."""

    age: timedelta
    timeframe: timedelta

    @property
    def age_seconds(self) -> int:
        """The age in whole seconds."""
        return int(self.age.total_seconds())

    @property
    def is_stale(self) -> bool:
        """Whether a newer candle should have arrived."""
        return self.age > self.timeframe + STALE_GRACE

    @property
    def seconds_to_next_close(self) -> int:
        """How long the forecast remains the newest there can be; 0 once a newer candle is due."""
        return max(0, int((self.timeframe - self.age).total_seconds()))


def freshness_of(forecast: PriceForecast | TrendForecast, now: datetime) -> Freshness:
    """Return how old a forecast is now."""
    return Freshness(now - forecast.cutoff, Timeframe.parse(forecast.timeframe).duration)


def is_too_old(freshness: Freshness, view: DeskView) -> bool:
    """Say whether the limit beyond which nothing is answered has been passed."""
    return freshness.is_stale and freshness.age > view.stale_limit


def require_answerable(forecast: PriceForecast | TrendForecast, freshness: Freshness, view: DeskView) -> None:
    """Raise `ForecastUnavailableError` for a forecast that is too old to be of use."""
    if is_too_old(freshness, view):
        hours = freshness.age.total_seconds() / 3600
        limit = view.stale_limit.total_seconds() / 3600
        raise ForecastUnavailableError(
            f"{forecast.symbol} {forecast.timeframe}: the newest candle closed {hours:.0f} hours ago, "
            f"answers end at {limit:.0f}; wait for the source or run "
            f"`mur fetch {forecast.symbol} --timeframe {forecast.timeframe}`"
        )


def kept_seconds(view: DeskView, ages: Iterable[Freshness]) -> int:
    """Return how long a client may keep an answer: until the next candle closes."""
    # In a replay the next candle closes by another clock than that of the client.
    if view.market == "replay":
        return 0
    return min((age.seconds_to_next_close for age in ages), default=0)
