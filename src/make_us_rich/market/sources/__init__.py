"""Where candles come from, and how a source is named on the command line."""

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.market.sources.alpha_vantage import AlphaVantageSource
from make_us_rich.market.sources.csv_file import CsvSource
from make_us_rich.market.sources.replay import ReplaySource
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.sources.source import CandleSource, RecordedSource
from make_us_rich.registries import Registry
from make_us_rich.settings import Settings

__all__ = [
    "SOURCES",
    "CandleSource",
    "CsvSource",
    "RecordedSource",
    "ReplaySource",
    "SimulatedSource",
    "resolve_source",
]

BuildSource = Callable[[str, Settings], CandleSource]
"""What an entry point of `make_us_rich.sources` names; it gets the text after the colon."""


def resolve_source(text: str, settings: Settings) -> CandleSource:
    """Return the source a text names.

    That is `NAME[:ARGUMENT]` of a registered source (`simulated[:SEED]`, `replay:DIR`, `csv:FILE`,
    `alphavantage`, or one of an installed package) or an exchange by its ccxt name; anything else is an
    `UnknownNameError`.
    """
    name, _, argument = text.strip().partition(":")
    if name in SOURCES:
        return SOURCES.resolve(name)(argument, settings)
    return _exchange(text.strip(), settings)


def _simulated(argument: str, _: Settings) -> CandleSource:
    if argument and not argument.isdecimal():
        raise UsageError(f"seed {argument!r} is not a whole number; write simulated or simulated:7")
    return SimulatedSource(seed=int(argument or "0"))


def _replay(argument: str, _: Settings) -> CandleSource:
    if not argument:
        raise UsageError("replay needs a folder; write replay:DIR")
    return ReplaySource(Path(argument).expanduser())


def _csv(argument: str, _: Settings) -> CandleSource:
    if not argument:
        raise UsageError("csv needs a file; write csv:FILE")
    return CsvSource(Path(argument).expanduser())


def _alpha_vantage(argument: str, settings: Settings) -> CandleSource:
    if argument:
        raise _unknown_source(f"alphavantage:{argument}")
    if settings.alphavantage_key is None:
        raise UsageError("alphavantage needs a key; set MUR_ALPHAVANTAGE_KEY to the one the provider gave")
    return AlphaVantageSource(settings.alphavantage_key.get_secret_value(), budgets=settings.budgets)


def _exchange(name: str, settings: Settings) -> CandleSource:
    # imported here, because ccxt takes half a second that the other sources need not pay
    import ccxt

    from make_us_rich.market.sources.exchange import ExchangeSource

    if name not in ccxt.exchanges:
        raise _unknown_source(name, ccxt.exchanges)
    url = settings.exchange_url if name == settings.exchange else None
    return ExchangeSource(name, url=url, budgets=settings.budgets)


def _unknown_source(name: str, exchanges: Sequence[str] = ()) -> UnknownNameError:
    close = difflib.get_close_matches(name, [*SOURCES, *exchanges], n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    others = "".join(f", {other}" for other in SOURCES if other not in _OURS)
    return UnknownNameError(
        f"source {name!r} is not known; {meant}write an exchange as ccxt calls it (binance, kraken …), "
        f"replay:DIR, csv:FILE, alphavantage, simulated, simulated:SEED{others}"
    )


_OURS: dict[str, BuildSource | str] = {
    "simulated": _simulated,
    "replay": _replay,
    "csv": _csv,
    "alphavantage": _alpha_vantage,
}
SOURCES: Registry[BuildSource] = Registry("make_us_rich.sources", _OURS)
"""Every source that is not an exchange, by the name it is asked for; exchanges are the fallback."""
