"""What the published recipe costs: training against a bare loop, loading against its own, memory of windows.

Both sides of a ratio are measured in alternating rounds of one run, because the speed of a shared machine
drifts; the median of the ratios counts. One torch thread throughout, as in training.

The published loader turned a slice of a pandas table into a tensor for each item. pandas is no dependency of
this project, so a Polars slice does the same here; it is the faster of the two, or about as fast.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl
import psutil
import torch
from torch import Tensor, nn

from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.original import FEATURE_NAMES, OriginalNetwork, OriginalSize
from make_us_rich.models.original_fit import OriginalOptions, ScaledSequences, fit_original
from make_us_rich.models.price_table import PriceTable, build_price_table

ROUNDS = 9
STEPS_PER_EPOCH = 8
EPOCHS = 3
LOADED_BATCHES = 100
MINUTES = 306_000
LEAST_TRAINING_RATIO = 0.90
LEAST_LOADING_RATIO = 20.0
LARGEST_MEMORY_RATIO = 1.0

PUBLISHED = OriginalOptions()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    memory = bench_memory()
    loading = bench_loading(arguments.rounds)
    training = bench_training(arguments.rounds)
    kept = {
        "training": training["ratio"] >= LEAST_TRAINING_RATIO,
        "loading": loading["ratio"] >= LEAST_LOADING_RATIO,
        "memory": memory["ratio"] <= LARGEST_MEMORY_RATIO and bool(memory["is_shared"]),
    }
    if arguments.json:
        print(json.dumps({"training": training, "loading": loading, "memory": memory, "kept": kept}))
    else:
        print_report(training, loading, memory, kept)
    return 0 if all(kept.values()) else 1


def print_report(
    training: dict[str, float], loading: dict[str, float], memory: dict[str, float], kept: dict[str, bool]
) -> None:
    words = {name: "kept" if is_kept else "BROKEN" for name, is_kept in kept.items()}
    print(f"training through Lightning    {training['ours']:10,.0f} sequences/s")
    print(f"bare PyTorch loop             {training['bare']:10,.0f} sequences/s")
    print(f"ratio                         {ratio_text(training)} (at least 0.90)  {words['training']}")
    print(f"loading from views            {loading['ours']:10,.0f} sequences/s")
    print(f"loading the published way     {loading['published']:10,.0f} sequences/s")
    print(f"ratio                         {ratio_text(loading)} (at least 20)  {words['loading']}")
    print(f"feature array                 {memory['array_bytes'] / 2**20:10.1f} MiB")
    print(f"one epoch of windows, extra   {memory['extra_bytes'] / 2**20:10.1f} MiB")
    print(f"windows as copies would take  {memory['copies_bytes'] / 2**20:10,.0f} MiB")
    print(f"ratio                         {memory['ratio']:10.2f} (at most 1)  {words['memory']}")


def ratio_text(record: dict[str, float]) -> str:
    return f"{record['ratio']:10.2f} [{record['lowest_ratio']:.2f}, {record['highest_ratio']:.2f}]"


# -- training ----------------------------------------------------------------------------------------


def bench_training(rounds: int) -> dict[str, float]:
    """Sequences per second from the first update to the last, the ends of epochs included."""
    table = hourly_walk(n_training=STEPS_PER_EPOCH * PUBLISHED.batch_size)
    windows, targets = random_windows(STEPS_PER_EPOCH * PUBLISHED.batch_size)
    sides = {
        "ours": lambda: rate_with_lightning(table),
        "bare": lambda: rate_of_bare_loop(windows, targets),
    }
    return summary(alternate(rounds, sides), "ours", "bare")


def rate_with_lightning(table: PriceTable) -> float:
    options = OriginalOptions(epochs=EPOCHS, patience=EPOCHS, validation_share=0.001, accelerator="cpu")
    stamps: list[float] = []
    rows = np.arange(len(table) - 1)
    fit_original(table, rows, options, seed=42, on_step=lambda *_: stamps.append(time.perf_counter()))
    return rate_between(stamps)


def rate_of_bare_loop(windows: Tensor, targets: Tensor) -> float:
    """The least a training can do, on batches that lie ready."""
    torch.manual_seed(42)
    network = OriginalNetwork(OriginalSize(PUBLISHED.hidden, PUBLISHED.layers, PUBLISHED.dropout))
    optimizer = torch.optim.AdamW(network.parameters(), lr=PUBLISHED.learning_rate)
    batches = list(zip(windows.split(PUBLISHED.batch_size), targets.split(PUBLISHED.batch_size), strict=True))
    stamps = []
    for batch, target in batches * EPOCHS:
        optimizer.zero_grad()
        nn.functional.mse_loss(network(batch), target).backward()
        optimizer.step()
        stamps.append(time.perf_counter())
    return rate_between(stamps)


def rate_between(stamps: list[float]) -> float:
    return (len(stamps) - 1) * PUBLISHED.batch_size / (stamps[-1] - stamps[0])


def hourly_walk(n_training: int) -> PriceTable:
    """A series whose training windows fill whole batches; one window is left to validate."""
    n_rows = n_training + 1 + PUBLISHED.window
    numbers = np.random.default_rng(0)
    close = 50_000 * np.exp(np.cumsum(numbers.normal(0, 0.005, n_rows)))
    ohlcv = np.stack([close, close * 1.002, close * 0.998, close, numbers.lognormal(size=n_rows)], axis=1)
    hourly = Timeframe("1h")
    return build_price_table(np.arange(n_rows) * hourly.milliseconds, ohlcv, hourly, horizons=(1,))


def random_windows(n: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    windows = torch.rand(n, PUBLISHED.window, len(FEATURE_NAMES), generator=generator)
    return windows, torch.rand(n, generator=generator)


# -- loading -----------------------------------------------------------------------------------------


def bench_loading(rounds: int) -> dict[str, float]:
    """Sequences per second in shuffled batches, without a network."""
    columns = torch.rand(10_000, len(FEATURE_NAMES), generator=torch.Generator().manual_seed(0))
    sequences = ScaledSequences(columns, PUBLISHED.window)
    frame = pl.DataFrame(columns.numpy(), schema=list(FEATURE_NAMES))
    sides = {
        "ours": lambda: rate_of_loading(sequences.take, len(sequences)),
        "published": lambda: rate_of_loading(lambda at: load_as_published(frame, at), len(sequences)),
    }
    for warm_up in sides.values():
        warm_up()
    return summary(alternate(rounds, sides), "ours", "published")


def rate_of_loading(load: Callable[[Tensor], object], n: int) -> float:
    order = torch.randperm(n, generator=torch.Generator().manual_seed(1))
    batches = order.split(PUBLISHED.batch_size)[:LOADED_BATCHES]
    began = time.perf_counter()
    for positions in batches:
        load(positions)
    return LOADED_BATCHES * PUBLISHED.batch_size / (time.perf_counter() - began)


def load_as_published(frame: pl.DataFrame, positions: Tensor) -> tuple[Tensor, Tensor]:
    """A slice and a tensor for each item, then stacked; the published loader did no less."""
    items = [
        (torch.tensor(frame.slice(i, PUBLISHED.window).to_numpy()), frame["close"][i + PUBLISHED.window])
        for i in positions.tolist()
    ]
    return torch.stack([window for window, _ in items]), torch.tensor([close for _, close in items])


# -- memory ------------------------------------------------------------------------------------------


def bench_memory() -> dict[str, float]:
    """Measured in a fresh process, so that nothing freed before can be taken up again unseen."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure_memory)


def measure_memory() -> dict[str, float]:
    torch.set_num_threads(1)
    run_through(ScaledSequences(torch.rand(2_000, len(FEATURE_NAMES)), PUBLISHED.window))  # what torch loads
    columns = torch.rand(MINUTES, len(FEATURE_NAMES))
    array_bytes = columns.nbytes
    windows = ScaledSequences(columns, PUBLISHED.window).windows
    extra = extra_memory(lambda: run_through(ScaledSequences(columns, PUBLISHED.window)))
    seen = extra_memory(windows[:10_000].contiguous)  # an ordinary copy, to test the meter
    copy_bytes = 10_000 * PUBLISHED.window * len(FEATURE_NAMES) * 4
    if not 0.9 <= seen / copy_bytes <= 1.2:
        raise RuntimeError(f"the meter is blind: {copy_bytes} bytes were copied and {seen} seen")
    return {
        "array_bytes": array_bytes,
        "extra_bytes": extra,
        "copies_bytes": windows.numel() * windows.element_size(),
        "ratio": extra / array_bytes,
        "is_shared": windows.untyped_storage().data_ptr() == columns.untyped_storage().data_ptr(),
    }


def run_through(sequences: ScaledSequences) -> None:
    for positions in sequences.batches(0, len(sequences), PUBLISHED.batch_size, shuffle_seed=1):
        sequences.take(positions)


def extra_memory(work: Callable[[], object]) -> int:
    """How far `work` raises the highest memory of this process, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    resident, peak = psutil.Process().memory_info().rss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ballast = np.ones(max(0, peak * unit - resident), dtype=np.uint8)  # up to the peak: all more is seen
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    del ballast
    return (after - before) * unit


# -- all ---------------------------------------------------------------------------------------------


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
