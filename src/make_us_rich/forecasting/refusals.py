"""Why there is no forecast, in one line each."""

from datetime import datetime

from make_us_rich.errors import ForecastUnavailableError, MakeUsRichError, UnknownNameError
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.registry.model_name import ModelName


def one_line(error: Exception) -> str:
    """Return what an error nobody foresaw says, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def kind_failed(name: ModelName, error: Exception) -> ForecastUnavailableError:
    """Return what is said where a kind runs into something it did not foresee."""
    return ForecastUnavailableError(f"{name}: its kind failed ({one_line(error)}); correct or remove it")


def unknown_name(name: ModelName, view: MarketView) -> MakeUsRichError:
    """Return why a name has no forecast: nothing is stored, or no kind forecasts it."""
    if isinstance(name.subject, str):
        return UnknownNameError(f"{name} is not known here; /v1/forecasts lists what there is")
    try:
        view.find(name.symbol, name.timeframe)
    except MakeUsRichError as error:
        return error
    return UnknownNameError(f"{name} cannot be forecast; /v1/forecasts lists what can")


def not_stored(name: ModelName) -> UnknownNameError:
    """Return what is said where the candles of a name are not stored."""
    return UnknownNameError(f"{_about(name)}: no candles are stored; {how_to_fetch(name)}")


def all_passed(name: ModelName, cutoff: datetime, now: datetime) -> ForecastUnavailableError:
    """Return what is said where every target of the newest cutoff has passed."""
    hours = (now - cutoff).total_seconds() / 3600
    return ForecastUnavailableError(
        f"{_about(name)}: the newest candle closed {hours:.0f} hours ago, so every target has passed; "
        f"wait for the source or {how_to_fetch(name)}"
    )


def _about(name: ModelName) -> str:
    return f"{name.subject} {name.timeframe}"


def how_to_fetch(name: ModelName) -> str:
    """Return the way out where candles are missing."""
    if isinstance(name.subject, str):
        return "fetch the pairs it is computed from with `mur fetch`"
    return f"run `mur fetch {name.subject} --timeframe {name.timeframe}`"
