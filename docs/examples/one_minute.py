# ruff: noqa: D100, T201
# %% [markdown]
# # One-minute candles, a window of 120, and the published plot
#
# The first Make Us Rich showed its forecasts as one curve over the real closes, and the two could hardly be
# told apart. This walk through the same recipe ends in the same plot with one more line in it: the last
# close, repeated. It takes a minute or two on one core. Run the cells one by one in an editor that knows
# `# %%`, or all of them at once:
#
#     python docs/examples/one_minute.py
#     python docs/examples/one_minute.py --rows 6000 --epochs 2

# %%
import argparse
import os
import shutil
import subprocess
import tempfile
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
import torch

from make_us_rich.evaluation.metrics import direction_accuracy, mae
from make_us_rich.evaluation.reporting.plots import (
    Axis,
    Box,
    Panel,
    axes,
    clipped,
    drawing,
    legend,
    line,
    padded_range,
)
from make_us_rich.evaluation.reporting.ticks import round_ticks, time_ticks
from make_us_rich.market.candle import CandleArrays, as_candles
from make_us_rich.market.snapshot import Origin, take_snapshot
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.original_fit import OriginalOptions, fit_original
from make_us_rich.models.price_table import build_price_table

MINUTE = Timeframe("1m")
SYMBOL = Symbol("BTC", "USDT")

parser = argparse.ArgumentParser(description="The published plot on one-minute candles.")
folder = Path(os.environ.get("MUR_CANDLES", "../shared/data/candles"))
parser.add_argument("--candles", type=Path, default=folder, help="folder of the recorded candles")
parser.add_argument("--file", default="BINANCE/BTC-USDT/1m_parts/2023-03-16_2023-05-05.parquet")
parser.add_argument("--rows", type=int, default=40_000, help="how many of the last candles of the file")
parser.add_argument("--epochs", type=int, default=12, help="at most; fewer if validation gets no better")
parser.add_argument("--hidden", type=int, default=16, help="width; two layers of 128 were published")
parser.add_argument("--output", type=Path, default=Path("build/one_minute.svg"))
parser.add_argument("--png", action="store_true", help="also as PNG, light and dark, drawn by Chromium")
arguments = parser.parse_known_args()[0]  # a notebook has arguments of its own

# %% [markdown]
# ## The candles
#
# A snapshot is checked before it is used: order, grid, gaps, impossible prices. Missing minutes are flat
# candles at the previous close.

# %%
recorded = as_candles(pl.read_parquet(arguments.candles / arguments.file)).tail(arguments.rows)
end = recorded["open_time"].item(-1) + MINUTE.duration
snapshot = take_snapshot(recorded, SYMBOL, MINUTE, origin=Origin("replay", "BINANCE"), now=end)
arrays = CandleArrays.from_frame(snapshot.candles)
span = f"{snapshot.first:%Y-%m-%d %H:%M} to {snapshot.last:%Y-%m-%d %H:%M}"
print(f"{snapshot.rows:,} minutes of {SYMBOL}, {span}, snapshot {snapshot.content_hash[:12]}")

# %% [markdown]
# ## The published recipe, made small
#
# Nine columns (calendar, open, high, low, close, close - open), each brought to [-1, 1] by its range on the
# training rows; windows of 120 minutes; an LSTM that says the next close; squared error; the epoch with the
# best validation is kept. The first 90 % of the minutes train and validate, the last 10 % test. What was
# published is wider (two layers of 128) and learns more slowly; `mur train BTC/USDT --preset lstm-original`
# runs it as it was. The learning rate is the one whose plot looks best on these days: with a third of it the
# same network ends with an error more than three times as large.

# %%
options = OriginalOptions(
    window=120,
    hidden=arguments.hidden,
    layers=1,
    dropout=0.0,
    learning_rate=3e-3,
    epochs=arguments.epochs,
    patience=6,
)
table = build_price_table(arrays.open_time_ms, arrays.ohlcv, MINUTE, horizons=(1,))
n_known = int(len(table) * 0.9)


def say_epoch(done: int, total: int) -> None:
    """Print a line after each epoch."""
    if done % (total // options.epochs) == 0:
        print(f"epoch {done * options.epochs // total}")


known = table.usable_rows(0, n_known, options.window)
model = fit_original(table, known, options, seed=42, on_step=say_epoch)

# %% [markdown]
# ## A forecast for each test minute, made one minute before
#
# `last` is the close that was known when the forecast was made. To repeat it is the simplest forecast there
# is; it is called persistence.

# %%
rows = np.arange(n_known - 1, len(table) - 1)
last, actual = table.ohlcv[rows, 3], table.ohlcv[rows + 1, 3]
with torch.no_grad():
    parts = np.array_split(rows, max(1, len(rows) // 512))
    log_returns = torch.cat([model.location(*table.candle_windows(part, options.window)) for part in parts])
forecast = last * np.exp(log_returns.numpy()[:, 0])
when = table.open_time_ms[rows + 1] + MINUTE.milliseconds  # a close is known at the end of its minute

# %% [markdown]
# ## What the eye sees, and what the yardstick says
#
# R² compares a forecast with the *mean price of the test days*, which nobody would take for a forecast. So
# almost anything that stays near the last price gets an R² near 1, and a plot from afar shows the same: the
# curve hugs the price because it hugs the last price it was given.
#
# The error ratio asks the question that matters: how far off was the forecast, for every dollar by which
# repeating the last close was off? 1 means that the network added nothing, above 1 that it took away.


# %%
def r_squared(said: np.ndarray) -> float:
    """Return the share of the variance of the closes that a forecast explains."""
    return float(1 - np.mean((actual - said) ** 2) / np.var(actual))


own_error, naive_error = mae(forecast, actual), mae(last, actual)
ratio = own_error / naive_error
direction = direction_accuracy(forecast, actual, last)
print(f"R² of the closes      network {r_squared(forecast):.4f}   last close repeated {r_squared(last):.4f}")
print(f"mean absolute error   network {own_error:.2f}   last close repeated {naive_error:.2f}")
print(f"error ratio           {ratio:.2f}")
print(f"direction             right in {direction:.1%} of the minutes; a coin is right in 50 %")

# %% [markdown]
# ## The published plot, with the line it left out
#
# Above, the whole test: three lines that look like one. Below, the last hour and a half of it.

# %%
WIDTH, HEIGHT, ZOOM = 1000, 720, 90
UPPER, LOWER = Box(66, 66, WIDTH - 86, 270), Box(66, 404, WIDTH - 86, 270)
LINES = ((last, "persistence dashed"), (forecast, "candidate"), (actual, "real"))


def panel_of(rows_shown: slice, box: Box, title: str) -> str:
    """Draw the three lines over some of the test minutes."""
    times = when[rows_shown].astype(float)
    low, high = padded_range(value for values, _ in LINES for value in values[rows_shown])
    y = Axis(low, high, round_ticks(low, high, "{:,g}".format))
    panel = Panel(box, Axis(times[0], times[-1], time_ticks(times[0], times[-1], 10)), y)
    drawn = [line(panel, zip(times, values[rows_shown], strict=True), css) for values, css in LINES]
    return axes(panel, title) + clipped(panel, *drawn)


entries = [
    ("line", "real", "close"),
    ("line", "candidate", "LSTM, one minute before"),
    ("line", "persistence dashed", "persistence: the last close repeated"),
]
keys, _ = legend(entries, Box(10, 8, WIDTH, 0))
every = max(1, len(rows) // 900)  # about one point per pixel
figure = drawing(
    WIDTH,
    HEIGHT,
    f"{SYMBOL} closes with the forecasts of an LSTM and the last close repeated; error ratio {ratio:.2f}.",
    '<rect width="100%" height="100%" fill="var(--card)"/>',
    keys,
    panel_of(
        slice(0, None, every), UPPER, f"{SYMBOL}, {len(rows):,} test minutes to {snapshot.last:%Y-%m-%d}"
    ),
    panel_of(slice(-ZOOM, None), LOWER, f"The last {ZOOM} of them (error ratio of all: {ratio:.2f})"),
)
style = (resources.files("make_us_rich.evaluation.reporting") / "page.css").read_text("utf-8")
head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
arguments.output.parent.mkdir(parents=True, exist_ok=True)
arguments.output.write_text(
    figure.replace("<svg ", head, 1).replace(
        "<title>", f"<style>{style}svg {{ font: 12px/1 var(--sans); }}</style><title>", 1
    ),
    encoding="utf-8",
)
print(f"The plot is {arguments.output}; it follows the light or dark theme of the reader.")


# %%
def draw_png(picture: Path, target: Path, *, dark: bool) -> None:
    """Let Chromium draw an SVG; nothing is fetched."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("--png needs Chromium or Chrome; the SVG opens in any browser")
    with tempfile.TemporaryDirectory() as profile:
        switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        switches += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        switches += [f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}", "--hide-scrollbars"]
        switches += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--screenshot={target}"]
        subprocess.run([browser, *switches, picture.resolve().as_uri()], check=True, capture_output=True)
    print(f"Drawn: {target}")


if arguments.png:
    draw_png(arguments.output, arguments.output.with_suffix(".png"), dark=False)
    draw_png(arguments.output, arguments.output.with_name(f"{arguments.output.stem}-dark.png"), dark=True)
