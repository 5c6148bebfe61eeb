"""A local HTTP server that answers `/query` as Alpha Vantage documents it.

The answers are written here from the provider's documentation and not by anything of the project, so that a
test compares two readings of it. Nothing was ever recorded from the provider itself.

    with ProviderServer(documented_answer("BTC", "EUR", days)) as server:
        source = AlphaVantageSource("KEY", url=server.url, budgets=folder)
"""

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Day:
    """One day as the provider knows it."""

    day: date
    open: str
    high: str
    low: str
    close: str
    volume: str


def documented_answer(coin: str, money: str, days: Iterable[Day]) -> dict[str, Any]:
    """Return an answer in the layout documented since 2024, newest day first."""
    return {
        "Meta Data": _meta_data(coin, money),
        "Time Series (Digital Currency Daily)": {
            day.day.isoformat(): {
                "1. open": day.open,
                "2. high": day.high,
                "3. low": day.low,
                "4. close": day.close,
                "5. volume": day.volume,
            }
            for day in sorted(days, key=lambda day: day.day, reverse=True)
        },
    }


def older_answer(coin: str, money: str, days: Iterable[Day]) -> dict[str, Any]:
    """Return an answer in the layout documented before, with each price in dollars too."""
    return {
        "Meta Data": _meta_data(coin, money),
        "Time Series (Digital Currency Daily)": {
            day.day.isoformat(): {
                f"1a. open ({money})": day.open,
                "1b. open (USD)": "1.5",
                f"2a. high ({money})": day.high,
                "2b. high (USD)": "1.6",
                f"3a. low ({money})": day.low,
                "3b. low (USD)": "1.4",
                f"4a. close ({money})": day.close,
                "4b. close (USD)": "1.5",
                "5. volume": day.volume,
                "6. market cap (USD)": day.volume,
            }
            for day in sorted(days, key=lambda day: day.day, reverse=True)
        },
    }


def _meta_data(coin: str, money: str) -> dict[str, str]:
    return {
        "1. Information": "Daily Prices and Volumes for Digital Currency",
        "2. Digital Currency Code": coin,
        "3. Digital Currency Name": coin.title(),
        "4. Market Code": money,
        "5. Market Name": money.title(),
        "6. Last Refreshed": "2024-05-01 00:00:00",
        "7. Time Zone": "UTC",
    }


class ProviderServer:
    """The server, from `with` to the end of its block; what it answers may be set at any time.

    `answers` maps (coin, money) to an answer; anything else is the documented error. `instead`, where set, is
    answered to everything: an object, or bytes as they are.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], dict[str, Any]] = {}
        self.instead: dict[str, Any] | list[Any] | bytes | None = None
        self.status = 200
        self.delay_seconds = 0.0
        self.asked: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, asked: dict[str, str]) -> bytes:
        self.asked.append(asked)
        if isinstance(self.instead, bytes):
            return self.instead
        mistake = {
            "Error Message": "Invalid API call. Please retry or visit the documentation "
            "(https://www.alphavantage.co/documentation/) for DIGITAL_CURRENCY_DAILY."
        }
        wanted = (asked.get("symbol", ""), asked.get("market", ""))
        return json.dumps(self.instead or self.answers.get(wanted, mistake)).encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(provider: ProviderServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            time.sleep(provider.delay_seconds)
            body = provider.answer(dict(parse_qsl(address.query)))
            self.send_response(provider.status if address.path == "/query" else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # the client has gone, as it should after a time-out

        def log_message(self, *_: object) -> None:
            return

    return Handler
