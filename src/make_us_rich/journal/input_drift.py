"""Do the candles look as they did when the model was fitted? Shown beside the verdicts, and decides nothing.

The population stability index compares the shares of two samples over ten equally filled bins of the first:
Σ (q - p) ln(q / p). Under 0.1 nothing has moved, over 0.25 much has. Every input is free of scale, so that a
higher price alone is no drift.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from make_us_rich.arrays import FloatArray

SMALL, LARGE = 0.10, 0.25

_BINS = 10
_SMALLEST_SHARE = 1e-4
_FEWEST = 200
_DAY, _WEEK = 24, 168


@dataclass(frozen=True, slots=True)
class InputDrift:
    """How far one input has moved; `psi` is None where there are too few candles to tell."""

    input: str
    psi: float | None
    says: str


def input_drift(reference: pl.DataFrame, recent: pl.DataFrame) -> list[InputDrift]:
    """Return the stability of each input between two spans of candles."""
    before, after = scale_free_inputs(reference), scale_free_inputs(recent)
    found = []
    for name in before.columns:
        old, new = (frame[name].drop_nulls().drop_nans().to_numpy() for frame in (before, after))
        psi = stability_index(old, new) if min(len(old), len(new)) >= _FEWEST else None
        found.append(InputDrift(name, psi, _in_words(psi)))
    return found


def scale_free_inputs(candles: pl.DataFrame) -> pl.DataFrame:
    """Return what is compared: returns, ranges and volume in units that do not know the price."""
    log_close, volume = pl.col("close").log(), pl.col("volume")
    return candles.select(
        (log_close - log_close.shift(1)).alias("return_1"),
        (log_close - log_close.shift(_DAY)).alias("return_24"),
        (pl.col("high") / pl.col("low")).log().alias("log_range"),
        (pl.col("high") / pl.col("low")).log().rolling_mean(_DAY).alias("log_range_24"),
        pl.when(volume > 0).then((volume / volume.rolling_mean(_WEEK)).log()).alias("volume_to_its_week"),
    )


def stability_index(reference: FloatArray, recent: FloatArray) -> float:
    """Return the population stability index of one input.

    >>> stability_index(np.arange(1000.0), np.arange(1000.0))
    0.0
    """
    edges = np.quantile(reference, np.linspace(0, 1, _BINS + 1)[1:-1])
    expected, found = (
        np.maximum(
            np.bincount(np.searchsorted(edges, sample), minlength=_BINS) / len(sample), _SMALLEST_SHARE
        )
        for sample in (reference, recent)
    )
    return float(np.sum((found - expected) * np.log(found / expected)))


def _in_words(psi: float | None) -> str:
    if psi is None:
        return "too few candles to tell"
    if psi < SMALL:
        return "as before"
    return "moved" if psi < LARGE else "moved far"
