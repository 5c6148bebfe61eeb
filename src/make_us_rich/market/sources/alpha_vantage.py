"""Daily candles from Alpha Vantage, its function DIGITAL_CURRENCY_DAILY."""

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from make_us_rich.errors import DataError, SourceError, SourceUnavailableError, UnknownNameError
from make_us_rich.market.budget import Allowance, RequestBudget
from make_us_rich.market.candle import VALUE_COLUMNS, as_candles, candles_between, no_candles
from make_us_rich.market.clock import Clock, WallClock
from make_us_rich.market.sources.source import unknown_timeframe
from make_us_rich.market.sources.status import SourceStatus
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market

_URL = "https://www.alphavantage.co"
_SERIES = "Time Series (Digital Currency Daily)"
_ALLOWANCES = (Allowance(60, 5), Allowance(86_400, 25))
_SPACING_SECONDS = 1.0
_DAILY = Timeframe("1d")
_COINS = ("ADA", "AVAX", "BNB", "BTC", "DOGE", "DOT", "ETH", "LINK", "LTC", "SOL", "XRP")
_MONEY = ("EUR", "USD")
_VALUE = re.compile(r"\d+[ab]?\. (open|high|low|close|volume)(?: \((\w+)\))?")


class AlphaVantageSource:
    """The provider's daily prices; one request answers the whole history of a pair.

    Limits are those of a free key, five requests a minute and 25 a day, kept by all processes together.
    The days are UTC, and the running one is left out. The key appears in no error and no log.
    """

    market: Market = "live"
    name = "alphavantage"

    def __init__(
        self,
        key: str,
        *,
        budgets: Path,
        url: str = _URL,
        timeout_seconds: float = 20.0,
        clock: Clock | None = None,
    ) -> None:
        self._key = key
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._clock = clock or WallClock()
        self._budget = RequestBudget(budgets / f"{self.name}.json", _ALLOWANCES, clock=self._clock)
        self._answered: dict[tuple[Symbol, datetime], pl.DataFrame] = {}

    def symbols(self, timeframe: Timeframe) -> list[Symbol]:
        """Return the pairs that are surely there; others the provider knows can be fetched too."""
        _require_daily(timeframe)
        return sorted(Symbol(coin, money) for coin in _COINS for money in _MONEY)

    def fetch(
        self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Iterator[pl.DataFrame]:
        """Yield the closed days of a pair that open from `since` on and close at or before `until`."""
        _require_daily(timeframe)
        end = min(_DAILY.floor(until), _DAILY.floor(self._clock.now()))
        page = candles_between(self._days(symbol), since, end) if since < end else no_candles()
        return iter([page] if len(page) else [])

    def status(self) -> SourceStatus:
        """Return what may still be asked."""
        return SourceStatus(budget=tuple(self._budget.readings()))

    def _days(self, symbol: Symbol) -> pl.DataFrame:
        # an answer holds everything there is, so it serves until the next day has closed
        today = (symbol, _DAILY.floor(self._clock.now()))
        if today not in self._answered:
            self._answered[today] = self._parse(symbol, self._ask(symbol))
        return self._answered[today]

    def _ask(self, symbol: Symbol) -> dict[str, Any]:
        self._budget.spend(spacing_seconds=_SPACING_SECONDS)
        asked = {"function": "DIGITAL_CURRENCY_DAILY", "symbol": symbol.base, "market": symbol.quote}
        address = f"{self._url}/query?{urllib.parse.urlencode(asked | {'apikey': self._key})}"
        try:
            with urllib.request.urlopen(address, timeout=self._timeout_seconds) as response:  # noqa: S310 -- the address is ours
                answer = json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise self._unavailable(f"answers with status {error.code}") from None
        except TimeoutError:
            raise self._unavailable(f"did not answer within {self._timeout_seconds:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unavailable(f"cannot be reached ({self._without_key(error)})") from None
        except ValueError:
            raise self._unavailable("broke off its answer, or did not answer in JSON") from None
        if not isinstance(answer, dict):
            raise SourceError(f"{self.name} {symbol}: the answer holds no candles; try again later")
        return answer

    def _parse(self, symbol: Symbol, answer: dict[str, Any]) -> pl.DataFrame:
        if "apikey" not in answer.get("Error Message", "apikey"):
            raise UnknownNameError(
                f"{self.name} has no {symbol}; it prices coins in USD, EUR and other money, as in BTC/USD"
            )
        for told in ("Note", "Information", "Error Message"):
            if told in answer and _SERIES not in answer:
                raise self._refused(str(answer[told]))
        try:
            if answer["Meta Data"].get("7. Time Zone", "UTC") != "UTC":
                raise ValueError("its days are not those of UTC")
            return _days(answer[_SERIES], symbol.quote)
        except (
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
            DataError,
            pl.exceptions.PolarsError,
        ) as error:
            raise SourceError(
                f"{self.name} {symbol}: the answer is not laid out as documented ({_first_line(error)}); "
                "try again later, or use another source"
            ) from error

    def _refused(self, told: str) -> SourceError:
        said = " ".join(self._without_key(told).split())
        if re.search(r"rate limit|call frequency|requests? per|spread", said, re.IGNORECASE):
            return SourceUnavailableError(
                f"{self.name}: its limit of requests is reached, it says: {said!r}; "
                "what was fetched is kept, try again later"
            )
        return SourceError(f"{self.name} refuses, it says: {said!r}; check MUR_ALPHAVANTAGE_KEY and its plan")

    def _unavailable(self, finding: str) -> SourceUnavailableError:
        return SourceUnavailableError(f"{self.name} {finding}; what was fetched is kept, try again later")

    def _without_key(self, told: object) -> str:
        # the provider writes the key into its own messages
        return str(told).replace(self._key, "…")


def _days(series: dict[str, dict[str, str]], quote: str) -> pl.DataFrame:
    rows = [{"open_time": day} | _values(values, quote) for day, values in series.items()]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("open_time", *VALUE_COLUMNS), pl.String()))
    days = pl.col("open_time").str.to_date("%Y-%m-%d").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    return as_candles(frame.with_columns(days)).unique("open_time", keep="last").sort("open_time")


def _values(values: dict[str, str], quote: str) -> dict[str, str]:
    # an older layout gives each price twice, in the currency asked for and in dollars
    found = {}
    for name, value in values.items():
        match = _VALUE.fullmatch(name)
        if match is not None and match[2] in (None, quote):
            found[match[1]] = value
    missing = [name for name in VALUE_COLUMNS if name not in found]
    if missing:
        raise ValueError(f"a day lacks {', '.join(missing)}")
    return found


def _require_daily(timeframe: Timeframe) -> None:
    if timeframe != _DAILY:
        raise unknown_timeframe(AlphaVantageSource.name, timeframe, [_DAILY.name])


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__
