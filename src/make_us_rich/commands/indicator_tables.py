"""Our indicators of stored candles beside those of a table from elsewhere."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from make_us_rich.errors import NotEnoughHistoryError, UsageError
from make_us_rich.features.indicator_table import compare_indicators, read_indicator_tables
from make_us_rich.features.indicators import trend_indicators
from make_us_rich.market.quality import fill_gaps
from make_us_rich.market.timeframe import Timeframe


def indicator_records(
    candles: pl.DataFrame, timeframe: Timeframe, tables: Sequence[Path]
) -> list[dict[str, Any]]:
    """Return per indicator the days in common, the largest difference and the correlation, in JSON types."""
    if timeframe.name != "1d":
        raise UsageError(f"the indicators are of daily candles, not {timeframe}; add --timeframe 1d")
    theirs = read_indicator_tables(tables)
    filled = fill_gaps(candles, timeframe)
    ours = pl.concat([filled.select("open_time"), trend_indicators(filled)], how="horizontal")
    agreements = compare_indicators(ours, theirs)
    if not agreements:
        raise NotEnoughHistoryError(
            "no day of the tables has an indicator of the stored candles; fetch candles of the same days and "
            "250 before them"
        )
    return [asdict(agreement) for agreement in agreements]
