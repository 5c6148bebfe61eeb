"""A local HTTP server that speaks the part of Binance's spot API the desk uses.

It answers `/api/v3/ping`, `time`, `exchangeInfo` and `klines` from recorded candles, has a clock that
tests set, counts the weight of requests as the exchange does, and can be told to misbehave.

    with ExchangeServer(RecordedMarket(candles_folder / "BINANCE"), now) as server:
        source = ExchangeSource("binance", url=server.url)
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import polars as pl

_MILLISECONDS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_WEIGHTS = {"/api/v3/exchangeInfo": 20, "/api/v3/klines": 2}
_KLINE_VALUES = (
    ("quote_volume", pl.col("volume") * (pl.col("high") + pl.col("low")) / 2),
    ("trades", pl.lit(100)),
    ("taker_buy_base", pl.col("volume") / 2),
    ("taker_buy_quote", pl.col("volume") * (pl.col("high") + pl.col("low")) / 4),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """How the server answers instead of what was asked: a status, a delay, or only half of the answer."""

    status: int = 200
    retry_after: str | None = None
    delay_seconds: float = 0.0
    truncated: bool = False
    garbled: bool = False


class RecordedMarket:
    """The files `<folder>/<BASE>-<QUOTE>/<timeframe>.parquet`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._frames: dict[tuple[str, str], pl.DataFrame] = {}

    def pairs(self) -> list[tuple[str, str]]:
        names = sorted(path.name for path in self._folder.iterdir() if path.is_dir())
        return [(base, quote) for base, _, quote in (name.partition("-") for name in names)]

    def klines(self, market_id: str, interval: str) -> pl.DataFrame | None:
        key = (market_id, interval)
        if key not in self._frames:
            folder = next((f"{b}-{q}" for b, q in self.pairs() if b + q == market_id), None)
            path = self._folder / str(folder) / f"{interval}.parquet"
            if not path.is_file():
                return None
            self._frames[key] = pl.read_parquet(path)
        return self._frames[key]


class ExchangeServer:
    """The server, on a free port of 127.0.0.1, from `with` to the end of its block.

    `now` may be set at any time, and None is the time of this machine; `requests` lists the paths asked
    for, with their parameters. Candles that open at one of the `hidden` times are left out of answers.
    Weight is counted per minute of `seconds`, and beyond `weight_limit` the answer is 429; `refused`
    counts those.
    """

    def __init__(self, market: RecordedMarket, now: datetime | None) -> None:
        self.market = market
        self.now = now
        self.hidden: set[datetime] = set()
        self.weight_limit = 6000
        self.seconds: Callable[[], float] = time.time
        self.used: dict[int, int] = {}
        self.refused = 0
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._faults: deque[tuple[str, Fault]] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail_next(self, fault: Fault, times: int = 1, path: str = "/api/v3/klines") -> None:
        """Answer the next requests of a path with a fault."""
        self._faults.extend([(path, fault)] * times)

    def asked(self, path: str = "/api/v3/klines") -> list[dict[str, str]]:
        """Return the parameters of every request of a path."""
        return [parameters for asked_path, parameters in self.requests if asked_path == path]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take_fault(self, path: str) -> Fault | None:
        if self._faults and self._faults[0][0] == path:
            return self._faults.popleft()[1]
        return None

    @property
    def used_weight(self) -> int:
        """Weight used in the present minute."""
        return self.used.get(int(self.seconds() // 60), 0)

    def answer(self, path: str, parameters: dict[str, str]) -> tuple[int, Any]:
        self.requests.append((path, parameters))
        self.used[int(self.seconds() // 60)] = self.used_weight + _WEIGHTS.get(path, 1)
        if self.used_weight > self.weight_limit:
            self.refused += 1
            return 429, {"code": -1003, "msg": "Too much request weight used."}
        match path:
            case "/api/v3/ping":
                return 200, {}
            case "/api/v3/time":
                return 200, {"serverTime": self._now_ms()}
            case "/api/v3/exchangeInfo":
                return 200, self._exchange_info()
            case "/api/v3/klines":
                return self._klines(parameters)
        return 404, {"code": -1, "msg": f"no {path}"}

    def _now_ms(self) -> int:
        return int((self.now.timestamp() if self.now is not None else time.time()) * 1000)

    def _exchange_info(self) -> dict[str, Any]:
        return {
            "timezone": "UTC",
            "serverTime": self._now_ms(),
            "rateLimits": [
                {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
                {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": self.weight_limit,
                },
            ],
            "exchangeFilters": [],
            "symbols": [_symbol_info(base, quote) for base, quote in self.market.pairs()],
        }

    def _klines(self, parameters: dict[str, str]) -> tuple[int, Any]:
        interval = parameters.get("interval", "")
        frame = self.market.klines(parameters.get("symbol", ""), interval)
        if frame is None:
            return 400, {"code": -1121, "msg": "Invalid symbol."}
        limit = min(int(parameters.get("limit", "500")), 1000)
        start = int(parameters.get("startTime", "0"))
        end = min(int(parameters.get("endTime", str(2**62))), self._now_ms())
        open_time = pl.col("open_time").dt.epoch("ms")
        is_hidden = open_time.is_in([int(moment.timestamp() * 1000) for moment in self.hidden])
        asked = frame.filter((open_time >= start) & (open_time <= end) & ~is_hidden)
        rows = asked.head(limit) if "startTime" in parameters else asked.tail(limit)
        return 200, list(_kline_rows(rows, interval))


def _kline_rows(rows: pl.DataFrame, interval: str) -> Iterator[list[Any]]:
    length = int(interval[:-1]) * _MILLISECONDS[interval[-1]]
    columns = ["open", "high", "low", "close", "volume"]
    full = rows.with_columns(
        *(value.alias(name) for name, value in _KLINE_VALUES if name not in rows.columns),
        open_ms=pl.col("open_time").dt.epoch("ms"),
    )
    for row in full.iter_rows(named=True):
        yield [
            row["open_ms"],
            *(repr(row[name]) for name in columns),
            row["open_ms"] + length - 1,
            repr(row["quote_volume"]),
            row["trades"],
            repr(row["taker_buy_base"]),
            repr(row["taker_buy_quote"]),
            "0",
        ]


def _symbol_info(base: str, quote: str) -> dict[str, Any]:
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.0", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
            {"filterType": "NOTIONAL", "minNotional": "5.0", "maxNotional": "9000000.0"},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }


def _handler(exchange: ExchangeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            fault = exchange.take_fault(address.path) or Fault()
            time.sleep(fault.delay_seconds)
            status, answer = exchange.answer(address.path, dict(parse_qsl(address.query)))
            if fault.status != 200:
                status, answer = fault.status, {"code": -1003, "msg": "Too much request weight used."}
            body = json.dumps(answer).encode()
            if fault.garbled:
                body = body[: len(body) // 2]
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-MBX-USED-WEIGHT-1M", str(exchange.used_weight))
            if fault.retry_after is not None:
                self.send_header("Retry-After", fault.retry_after)
            self.end_headers()
            self.close_connection = fault.truncated
            self._send(body[: len(body) // 2] if fault.truncated else body)

        def _send(self, body: bytes) -> None:
            try:
                self.wfile.write(body)
            except OSError:
                return  # the client has gone, as it should after a time-out

        def log_message(self, *_: object) -> None:
            return

    return Handler
