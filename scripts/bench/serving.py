"""What serving costs: a cached forecast against an empty route, `price_forecast()` against bare ONNX Runtime.

Both sides of each ratio are measured in alternating rounds of one run, because the speed of a shared machine
drifts; the median of the ratios counts. The load client is another process that keeps a few connections busy
over loopback and waits for each answer, so that it never asks for more than is answered.
"""

import argparse
import asyncio
import json
import multiprocessing
import multiprocessing.connection
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import onnxruntime
import polars as pl
import structlog
import uvicorn
from fastapi import FastAPI

from make_us_rich.database.engine import open_database
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.price.artifact import PRICE_ARTIFACT, PriceArtifact
from make_us_rich.forecasting.price.forecast import Forecasters, price_forecast
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.series import Series
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.baselines import baseline_quantiles
from make_us_rich.models.quantiles import NAIVE_BASELINES
from make_us_rich.registry.artifact import MODEL_FILE, load_artifact, read_manifest
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.access import Access
from make_us_rich.serving.app import create_app
from make_us_rich.serving.server import listen

ROUNDS = 9
REQUESTS_PER_ROUND = 4_000
CONNECTIONS = 8
CALLS_PER_ROUND = 300
LEAST_ROUTE_RATIO = 0.60
LARGEST_CALL_RATIO = 2.0

TIMEFRAME = Timeframe.parse("1h")
SYMBOL = Symbol("BTC", "USDT")
START = datetime(2024, 1, 1, tzinfo=UTC)
N_CANDLES = 400 * 24
END = START + N_CANDLES * TIMEFRAME.duration


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--artifact", type=Path, help="folder of a model of 1h candles; default: a toy that costs as much"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory() as folder:
        artifact = resolve_artifact(arguments.artifact, Path(folder))
        call = bench_calls(artifact, arguments.rounds)
        route = bench_routes(desk_of(artifact, Path(folder)), Path(folder), arguments.rounds)
    passed = route["ratio"] >= LEAST_ROUTE_RATIO and call["ratio"] <= LARGEST_CALL_RATIO
    if arguments.json:
        print(json.dumps({"route": route, "call": call, "passed": passed}))
    else:
        print_report(route, call)
    return 0 if passed else 1


def print_report(route: dict[str, float], call: dict[str, float]) -> None:
    print(f"cached forecast      {route['forecast']:8.0f} requests/s")
    print(f"empty FastAPI route  {route['empty']:8.0f} requests/s")
    print(f"ratio                {route['ratio']:8.2f} (at least {LEAST_ROUTE_RATIO:.2f})")
    print(f"price_forecast()     {call['forecast'] * 1e3:8.3f} ms")
    print(f"bare ONNX Runtime    {call['bare'] * 1e3:8.3f} ms")
    print(f"ratio                {call['ratio']:8.2f} (at most {LARGEST_CALL_RATIO:.2f})")


def resolve_artifact(folder: Path | None, root: Path) -> PriceArtifact:
    """A model on a shelf of our own, so that the one it was taken from stays as it is."""
    if folder is None:
        from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft

        draft = toy_draft(model=ToyPriceModel(lookback=240, hidden=48))
        shelf = open_shelf(root / "shelf", draft.manifest.market)
        return shelf.load(draft.manifest.name, shelf.shelve(draft))
    manifest = read_manifest(folder, PriceManifest)
    copy = root / "shelf" / manifest.name / str(manifest.version)
    shutil.copytree(folder, copy)
    return load_artifact(copy, manifest.market, PRICE_ARTIFACT)


def random_walk() -> pl.DataFrame:
    numbers = np.random.default_rng(0)
    close = 50_000 * np.exp(np.cumsum(numbers.normal(0, 0.005, N_CANDLES)))
    last = END - TIMEFRAME.duration
    return pl.DataFrame(
        {
            "open_time": pl.datetime_range(START, last, TIMEFRAME.duration, time_unit="ms", eager=True),
            "open": close,
            "high": close * 1.002,
            "low": close * 0.998,
            "close": close,
            "volume": numbers.lognormal(size=N_CANDLES),
        }
    )


def desk_of(artifact: PriceArtifact, root: Path) -> MarketView:
    """A desk whose newest candle closed a minute ago, and stays so."""
    manifest = artifact.manifest
    candles = CandleStore(root / "candles")
    candles.append(random_walk(), Series("random-walk", Symbol.parse(manifest.symbol), TIMEFRAME))
    now = END + timedelta(minutes=1)
    shelf = open_shelf(root / "shelf", manifest.market)
    shelf.promote(manifest.name, manifest.version, "to be measured", now)
    return MarketView(manifest.market, candles, shelf, ReplayClock(now, now, speed=None))


# -- routes ------------------------------------------------------------------------------------------


def bench_routes(view: MarketView, folder: Path, rounds: int) -> dict[str, float]:
    symbol = next(iter(view.series())).symbol.path_name
    with (
        serving(api_of(view, public_access(folder))) as forecast_port,
        serving(empty_app()) as empty_port,
        load_client() as rate_of,
    ):
        targets = {"forecast": (forecast_port, f"/v1/forecasts/{symbol}"), "empty": (empty_port, "/empty")}
        for target in targets.values():
            rate_of(*target)  # warm-up
        rates = alternate(
            rounds, {name: lambda target=target: rate_of(*target) for name, target in targets.items()}
        )
    return summary(rates, "forecast", "empty")


def public_access(folder: Path) -> Access:
    """Reading without accounts; `make bench WHAT=accounts` measures what they cost."""
    database = open_database(f"sqlite:///{folder / 'desk.db'}")
    return Access(database, b"k" * 32, public_read=True)


def api_of(view: MarketView, access: Access) -> FastAPI:
    """The whole API over a desk, with what stands in the journal of its database."""
    journal = Journal(access.database, view.market)
    return create_app(Board(view, JournalRecords(journal)), access, journal)


def empty_app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/empty")
    async def read_nothing() -> None:
        return None

    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[int]:
    """Serve an app in a thread of this process, as `serve` does, and yield its port."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None, server_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def load_client() -> Iterator[Callable[[int, str], float]]:
    """Yield a function that asks another process for the requests per second of an address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=answer_orders, args=(theirs,), daemon=True)
    process.start()

    def rate_of(port: int, path: str) -> float:
        ours.send((port, path))
        return float(ours.recv())

    try:
        yield rate_of
    finally:
        ours.send(None)
        process.join()


def answer_orders(orders: multiprocessing.connection.Connection) -> None:
    while (order := orders.recv()) is not None:
        orders.send(asyncio.run(measure_rate(*order)))


async def measure_rate(port: int, path: str) -> float:
    each = REQUESTS_PER_ROUND // CONNECTIONS
    started = time.perf_counter()
    await asyncio.gather(*(ask_repeatedly(port, path, each) for _ in range(CONNECTIONS)))
    return each * CONNECTIONS / (time.perf_counter() - started)


async def ask_repeatedly(port: int, path: str, times: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n".encode()
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path} answered {head.splitlines()[0].decode()}")
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()


# -- calls -------------------------------------------------------------------------------------------


def bench_calls(artifact: PriceArtifact, rounds: int) -> dict[str, float]:
    lookback = artifact.manifest.lookback
    candles = CandleArrays.from_frame(random_walk())
    session = bare_session(artifact.folder / MODEL_FILE)
    inputs = {
        "open_time_ms": candles.open_time_ms[None, -lookback:],
        "ohlcv": candles.ohlcv[None, -lookback:],
    }
    horizons = artifact.manifest.horizons
    naive = {
        one: baseline_quantiles(one, candles.ohlcv[:, 3], TIMEFRAME, horizons) for one in NAIVE_BASELINES
    }
    forecasters = Forecasters(artifact.manifest.market, artifact, naive)
    name = ModelName.parse(artifact.manifest.name)
    sides = {
        "forecast": lambda: seconds_per_call(lambda: price_forecast(name, END, candles, forecasters)),
        "bare": lambda: seconds_per_call(lambda: session.run(["quantiles"], inputs)),
    }
    return summary(alternate(rounds, sides), "forecast", "bare")


def bare_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def seconds_per_call(call: Callable[[], object]) -> float:
    """The median call: the mean would measure what else the machine does."""
    seconds = []
    for _ in range(CALLS_PER_ROUND):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


# -- both --------------------------------------------------------------------------------------------


def alternate(rounds: int, sides: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            measured[name].append(measure())
    return measured


def summary(measured: dict[str, list[float]], one: str, other: str) -> dict[str, float]:
    ratios = [a / b for a, b in zip(measured[one], measured[other], strict=True)]
    return {name: statistics.median(values) for name, values in measured.items()} | {
        "ratio": statistics.median(ratios),
        "lowest_ratio": min(ratios),
        "highest_ratio": max(ratios),
    }


if __name__ == "__main__":
    sys.exit(main())
