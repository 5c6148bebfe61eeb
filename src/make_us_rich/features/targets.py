"""What is to be forecast. Targets look ahead by design, so they are never part of a feature set."""

from collections.abc import Sequence

import polars as pl


def forward_returns(candles: pl.DataFrame, horizons: Sequence[int]) -> pl.DataFrame:
    """Log return of the close over the next h candles, one `target_h{h}` column each; null at the end.

    >>> forward_returns(pl.DataFrame({"close": [1.0, 2.0]}), horizons=[1])["target_h1"].round(3).to_list()
    [0.693, None]
    """
    log_close = pl.col("close").log()
    return candles.select((log_close.shift(-h) - log_close).alias(f"target_h{h}") for h in horizons)
