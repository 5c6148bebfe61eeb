"""A price forecast as it is served: by its model, but for the horizons at which that model has broken."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from make_us_rich.market.candle import CandleArrays
from make_us_rich.models.forecast import PriceForecast
from make_us_rich.registry.artifact import Artifact
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.forecasting import current_forecast, forecast_from, known_candles


@dataclass(frozen=True, slots=True, eq=False)
class MadeForecast:
    """The forecast to serve, remarks by horizon, and the persistence of the same cutoff if it was needed.

    `inputs` are the candles and the activity it was made from.
    """

    forecast: PriceForecast
    persistence: PriceForecast | None
    remarks: Mapping[int, str]
    inputs: CandleArrays


def make_forecast(
    view: DeskView, series: Series, champion: Artifact | None, now: datetime, broken: Mapping[int, str]
) -> MadeForecast:
    """Return the forecast from the candles that had closed at `now`; broken horizons get their baseline."""
    inputs = known_candles(view, series, champion, now)
    forecast = forecast_from(view, series, champion, inputs)
    if champion is None:
        return MadeForecast(forecast, forecast, {}, inputs)
    remarks = {
        step.horizon: broken[step.horizon]
        for step in forecast.steps
        if step.horizon in broken and not step.is_baseline
    }
    if not remarks:
        return MadeForecast(forecast, None, {}, inputs)
    persistence = current_forecast(view, series, None, now)
    return MadeForecast(demoted(forecast, persistence, remarks), persistence, remarks, inputs)


def demoted(forecast: PriceForecast, baseline: PriceForecast, broken: Mapping[int, str]) -> PriceForecast:
    """Return the forecast with the steps of the baseline at broken horizons, where it has them."""
    instead = {step.horizon: step for step in baseline.steps if step.horizon in broken}
    return replace(forecast, steps=tuple(instead.get(step.horizon, step) for step in forecast.steps))
