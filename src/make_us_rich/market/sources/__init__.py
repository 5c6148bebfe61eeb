"""Where candles come from, and how a source is named on the command line."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.market.sources.alpha_vantage import AlphaVantageSource
from make_us_rich.market.sources.csv_file import CsvSource
from make_us_rich.market.sources.replay import ReplaySource
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.sources.source import CandleSource, RecordedSource
from make_us_rich.settings import Settings

__all__ = ["CandleSource", "CsvSource", "RecordedSource", "ReplaySource", "SimulatedSource", "resolve_source"]

ENTRY_POINT_GROUP = "make_us_rich.sources"
"""Third parties register a `Callable[[str, Settings], CandleSource]`; it gets the text after the colon."""


def resolve_source(text: str, settings: Settings) -> CandleSource:
    """Return the source a text names.

    That is `simulated[:SEED]`, `replay:DIR`, `csv:FILE`, `alphavantage`, an exchange by its ccxt name, or
    `NAME[:ARGUMENT]` of an installed entry point; anything else is an `UnknownNameError`.
    """
    name, _, argument = text.strip().partition(":")
    if name == "simulated":
        return _simulated(argument)
    if name == "replay":
        return _replay(argument)
    if name == "csv":
        return _csv(argument)
    if text.strip() == "alphavantage":
        return _alpha_vantage(settings)
    for entry_point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        build: Callable[[str, Settings], CandleSource] = entry_point.load()
        return build(argument, settings)
    return _exchange(text.strip(), settings)


def _simulated(argument: str) -> CandleSource:
    if argument and not argument.isdecimal():
        raise UsageError(f"seed {argument!r} is not a whole number; write simulated or simulated:7")
    return SimulatedSource(seed=int(argument or "0"))


def _replay(argument: str) -> CandleSource:
    if not argument:
        raise UsageError("replay needs a folder; write replay:DIR")
    return ReplaySource(Path(argument).expanduser())


def _csv(argument: str) -> CandleSource:
    if not argument:
        raise UsageError("csv needs a file; write csv:FILE")
    return CsvSource(Path(argument).expanduser())


def _alpha_vantage(settings: Settings) -> CandleSource:
    if settings.alphavantage_key is None:
        raise UsageError("alphavantage needs a key; set MUR_ALPHAVANTAGE_KEY to the one the provider gave")
    return AlphaVantageSource(settings.alphavantage_key.get_secret_value(), budgets=settings.budgets)


def _exchange(name: str, settings: Settings) -> CandleSource:
    # imported here, because ccxt takes half a second that the other sources need not pay
    import ccxt

    from make_us_rich.market.sources.exchange import ExchangeSource

    if name not in ccxt.exchanges:
        installed = "".join(f", {entry.name}" for entry in entry_points(group=ENTRY_POINT_GROUP))
        raise UnknownNameError(
            f"source {name!r} is not known; write an exchange as ccxt calls it (binance, kraken …), "
            f"replay:DIR, csv:FILE, alphavantage, simulated, simulated:SEED{installed}"
        )
    url = settings.exchange_url if name == settings.exchange else None
    return ExchangeSource(name, url=url, budgets=settings.budgets)
