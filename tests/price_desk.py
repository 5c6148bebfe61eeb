"""Price forecasts from the stored candles of a desk, the way the board has them made."""

from make_us_rich.forecasting.kind import KnownCandles, ShelvedModels, Subject
from make_us_rich.forecasting.price.kind import PriceKind, price_name
from make_us_rich.market.series import Series
from trial_desk import BTC, END, HOUR

SERIES = Series("recorded", BTC, HOUR)


def current_forecast(desk, champion=None, now=END, series=SERIES):
    """The forecast with what is stored and had closed at a moment, its yardsticks beside it."""
    kind, models = PriceKind(), ShelvedModels(champion)
    subject = Subject(price_name(series), series)
    view, cutoff = desk.view, desk.view.newest_close(series, now)
    frames = {
        need.series: view.closed_candles(need.series, need.count, cutoff, with_trades=need.with_trades)
        for need in kind.needs(subject, models)
    }
    return kind.forecast(subject, cutoff, KnownCandles(view.market, frames), models)
