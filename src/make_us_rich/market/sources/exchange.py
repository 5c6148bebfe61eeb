"""Live candles from an exchange, through ccxt; no key is needed."""

import queue
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import ccxt
import polars as pl
import structlog

from make_us_rich.errors import (
    DataError,
    SourceError,
    SourceUnavailableError,
    StoreError,
    UnknownNameError,
    UsageError,
)
from make_us_rich.market.budget import RequestBudget
from make_us_rich.market.candle import candles_between
from make_us_rich.market.clock import Clock, WallClock
from make_us_rich.market.sources.exchange_answer import parse_page
from make_us_rich.market.sources.exchange_pace import ExchangePace, exchange_allowance
from make_us_rich.market.sources.source import unknown_symbol, unknown_timeframe
from make_us_rich.market.sources.status import SourceStatus
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market

CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far the clocks of this machine and of an exchange may differ before that is worth a warning."""

_PAGE_ROWS = 1000
_ATTEMPTS = 5
_LONGEST_WAIT_SECONDS = 120.0
_ORIGIN = re.compile(r"https?://[^/]+")
_Answer = TypeVar("_Answer")
_log = structlog.get_logger(__name__)


class ExchangeSource:
    """The spot market of one exchange ccxt knows.

    Requests are spaced by the exchange's own limits; given a folder for budgets, all processes that use
    the same folder share one. Told to slow down (429, 418), it waits as long as the exchange says, and
    gives up with `SourceUnavailableError` if that is over two minutes. Which candle is closed is decided
    by the exchange's clock; if ours is more than two seconds off, that is logged.
    """

    market: Market = "live"

    def __init__(
        self,
        exchange_name: str,
        *,
        url: str | None = None,
        timeout_seconds: float = 10.0,
        clock: Clock | None = None,
        budgets: Path | None = None,
    ) -> None:
        if exchange_name not in ccxt.exchanges:
            raise UnknownNameError(
                f"ccxt knows no exchange {exchange_name!r}; write it like binance or kraken"
            )
        self.name = exchange_name
        self._timeout_seconds = timeout_seconds
        self._clock = clock or WallClock()
        self._clock_offset: timedelta | None = None
        self._lock = threading.RLock()  # because a ccxt exchange is not thread-safe
        self._exchange: Any = getattr(ccxt, exchange_name)(
            {
                "enableRateLimit": True,
                "enableLastJsonResponse": True,
                "timeout": int(timeout_seconds * 1000),
                "options": {"fetchMarkets": {"types": ["spot"]}},
            }
        )
        self._exchange.has["fetchCurrencies"] = False  # load_markets would ask for them, and needs none
        if url is not None:
            self._exchange.urls["api"] = _moved(self._exchange.urls["api"], url.rstrip("/"))
        self._sent_at = self._clock.now()
        self._exchange.fetch = self._noting_when(self._exchange.fetch)
        self._pace = self._shared_pace(budgets) if budgets is not None else None

    def status(self) -> SourceStatus:
        """Return what may still be asked, and the offset of the clock if it was looked at."""
        budget = self._pace.readings() if self._pace is not None else ()
        return SourceStatus(budget=budget, clock_offset=self._clock_offset)

    def clock_offset(self) -> timedelta | None:
        """Ask how far the exchange's clock is ahead of ours; None if it does not tell its time."""
        self._now()
        return self._clock_offset

    def is_reachable(self, timeout_seconds: float = 5.0) -> bool:
        """Say whether the exchange answers within the time."""
        answers: queue.SimpleQueue[bool] = queue.SimpleQueue()

        def ask() -> None:
            try:
                self._call(self._load_markets, attempts=1)
                answers.put(True)
            except (SourceError, StoreError):
                answers.put(False)

        # in a thread of its own, because the time-out of a request does not cover the look-up of its address
        threading.Thread(target=ask, name=f"reach-{self.name}", daemon=True).start()
        try:
            return answers.get(timeout=timeout_seconds)
        except queue.Empty:
            return False

    def symbols(self, timeframe: Timeframe) -> list[Symbol]:
        """Return the pairs traded now."""
        self._require_timeframe(timeframe)
        return sorted(symbol for symbol, market in self._spot_markets().items() if market.get("active", True))

    def fetch(
        self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Iterator[pl.DataFrame]:
        """Yield pages of candles that are closed by the exchange's own clock and close by `until`."""
        self._require_timeframe(timeframe)
        market = self._spot_markets().get(symbol)
        if market is None:
            raise unknown_symbol(self.name, symbol, self._spot_markets())
        end = min(timeframe.floor(until), timeframe.floor(self._now()))
        return self._pages(market["symbol"], timeframe, since, end)

    def _pages(
        self, market: str, timeframe: Timeframe, since: datetime, end: datetime
    ) -> Iterator[pl.DataFrame]:
        cursor = since
        while cursor < end:
            page = candles_between(self._page(market, timeframe, cursor), cursor, end)
            if page.is_empty():
                # some exchanges answer only a window of time from the start asked for, so look beyond it
                cursor += _PAGE_ROWS * timeframe.duration
            else:
                yield page
                cursor = page["open_time"].item(-1) + timeframe.duration

    def _page(self, market: str, timeframe: Timeframe, since: datetime) -> pl.DataFrame:
        milliseconds = int(since.timestamp() * 1000)
        rows = self._call(self._ask_for_candles, market, timeframe.name, milliseconds, _PAGE_ROWS)
        try:
            return parse_page(self.name, *rows)
        except DataError as error:
            raise SourceError(
                f"{self.name} {market}: the answer holds no candles; try again later"
            ) from error

    def _ask_for_candles(self, *arguments: object) -> tuple[Any, Any]:
        # ccxt takes what it cannot read for an empty page, which would leave a hole in the series
        rows = self._exchange.fetch_ohlcv(*arguments)
        raw = self._exchange.last_json_response
        if raw is None:
            raise ccxt.ExchangeNotAvailable("the answer was not JSON")
        if not rows and isinstance(raw, list) and raw:
            raise ccxt.BadResponse("the answer holds rows that are no candles")
        return rows, raw

    def _now(self) -> datetime:
        return self._call(self._ask_time) if self._exchange.has.get("fetchTime") else self._clock.now()

    def _ask_time(self) -> datetime:
        theirs = datetime.fromtimestamp(self._exchange.fetch_time() / 1000, UTC)
        half_way = (self._clock.now() - self._sent_at) / 2
        offset, known = theirs - (self._sent_at + half_way), self._clock_offset
        self._clock_offset = offset
        # how long the answer was under way is known no better than to half of the round trip
        is_news = known is None or abs(known) <= CLOCK_TOLERANCE
        if is_news and abs(offset) - half_way > CLOCK_TOLERANCE:
            side = "behind" if offset > timedelta(0) else "ahead of"
            seconds = f"{abs(offset).total_seconds():,.1f} s {side}"
            _log.warning(
                f"the clock of this machine is {seconds} that of {self.name}, which decides "
                "what is closed; set the time of this machine"
            )
        return theirs

    def _noting_when(self, send: Callable[..., _Answer]) -> Callable[..., _Answer]:
        # because a request may wait for its turn before it is sent
        def send_noted(*arguments: object) -> _Answer:
            self._sent_at = self._clock.now()
            return send(*arguments)

        return send_noted

    def _load_markets(self) -> Any:
        markets = self._exchange.load_markets()
        if self._pace is not None:
            self._pace.learn_limit(self._exchange.last_json_response)
        return markets

    def _shared_pace(self, folder: Path) -> ExchangePace:
        budget = RequestBudget(
            folder / f"{self.name}.json",
            (exchange_allowance(60_000 / self._exchange.rateLimit),),
            longest_wait_seconds=_LONGEST_WAIT_SECONDS,
            clock=self._clock,
        )
        return ExchangePace(self._exchange, budget)

    def _spot_markets(self) -> dict[Symbol, dict[str, Any]]:
        markets = self._call(self._load_markets)
        found = {}
        for market in markets.values():
            try:
                if market.get("spot"):
                    found[Symbol.parse(market["symbol"])] = market
            except UsageError:
                continue  # a name outside our alphabet
        return found

    def _require_timeframe(self, timeframe: Timeframe) -> None:
        offered = self._exchange.timeframes or {}
        if timeframe.name not in offered:
            raise unknown_timeframe(self.name, timeframe, offered)

    def _call(self, method: Callable[..., _Answer], *arguments: object, attempts: int = _ATTEMPTS) -> _Answer:
        for attempt in range(attempts):
            try:
                with self._lock:
                    self._exchange.last_response_headers = None
                    return method(*arguments)
            except ccxt.NetworkError as error:
                wait = self._wait_seconds(error, attempt)
                if self._pace is not None and isinstance(error, ccxt.DDoSProtection):
                    self._pace.pause(wait)  # for the other processes too, before they are banned
                if attempt + 1 == attempts or wait > _LONGEST_WAIT_SECONDS:
                    raise self._unavailable(error, wait) from error
                self._clock.sleep_until(self._clock.now() + timedelta(seconds=wait), threading.Event())
            except (ccxt.BaseError, TypeError, AttributeError) as error:
                # ccxt raises the latter two when it stumbles over an answer it cannot parse
                raise SourceError(
                    f"{self.name}: unusable answer ({_first_line(error)}); try again later"
                ) from error
        raise AssertionError("unreachable")

    def _wait_seconds(self, error: Exception, attempt: int) -> float:
        backed_off = float(2**attempt)
        if not isinstance(error, ccxt.DDoSProtection):
            return backed_off
        headers = self._exchange.last_response_headers or {}
        retry_after = str(headers.get("Retry-After", ""))
        return max(float(retry_after), 0.1) if re.fullmatch(r"\d+(\.\d+)?", retry_after) else backed_off

    def _unavailable(self, error: Exception, wait: float) -> SourceUnavailableError:
        if isinstance(error, ccxt.DDoSProtection):
            finding = f"asks for a pause of {wait:.0f} s"
        elif isinstance(error, ccxt.RequestTimeout):
            finding = f"did not answer within {self._timeout_seconds:g} s"
        else:
            finding = f"cannot be reached ({_first_line(error)})"
        return SourceUnavailableError(f"{self.name} {finding}; what was fetched is kept, try again later")


def _moved(urls: Any, origin: str) -> Any:
    if isinstance(urls, dict):
        return {name: _moved(url, origin) for name, url in urls.items()}
    return _ORIGIN.sub(origin, urls) if isinstance(urls, str) else urls


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:160] if lines else type(error).__name__
