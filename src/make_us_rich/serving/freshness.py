"""How old an answer may be: fresh until the next candle is due, then stale with its age, then refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from make_us_rich.errors import ForecastUnavailableError
from make_us_rich.forecasting.forecast import Forecast
from make_us_rich.forecasting.kind import Served
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.refusals import how_to_fetch

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


def freshness_of(forecast: Forecast, now: datetime) -> Freshness:
    """Return how old a forecast is now."""
    return Freshness(now - forecast.cutoff, forecast.name.timeframe.duration)


def is_too_old(freshness: Freshness, view: MarketView) -> bool:
    """Say whether the limit beyond which nothing is answered has been passed."""
    return freshness.is_stale and freshness.age > view.stale_limit


def require_answerable(served: Served, view: MarketView) -> Freshness:
    """Return the age of a forecast; `ForecastUnavailableError` for one that is too old to be of use."""
    now, name = view.clock.now(), served.forecast.name
    freshness = freshness_of(served.forecast, now)
    series = f"{name.subject} {name.timeframe}"
    way_out = f"wait for the source or {how_to_fetch(name)}"
    if is_too_old(freshness, view):
        hours, limit = (span.total_seconds() / 3600 for span in (freshness.age, view.stale_limit))
        raise ForecastUnavailableError(
            f"{series}: the newest candle closed {hours:.0f} hours ago, answers end at {limit:.0f}; {way_out}"
        )
    last = max(step.target_time for step in served.forecast.steps)
    if last <= now and not served.is_recorded:
        raise ForecastUnavailableError(
            f"{series}: its newest forecast was about {last:%Y-%m-%d %H:%M}, which has passed; {way_out}"
        )
    return freshness


def kept_seconds(view: MarketView, ages: Iterable[Freshness]) -> int:
    """Return how long a client may keep an answer: until the next candle closes."""
    # In a replay the next candle closes by another clock than that of the client.
    if view.market == "replay":
        return 0
    return min((age.seconds_to_next_close for age in ages), default=0)
