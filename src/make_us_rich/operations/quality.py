"""What is wrong with stored candles, and how far our indicators of them agree with a table from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from make_us_rich.errors import DataError, NotEnoughHistoryError, UsageError
from make_us_rich.features.indicator_table import (
    IndicatorAgreement,
    compare_indicators,
    read_indicator_tables,
)
from make_us_rich.features.indicators import trend_indicators
from make_us_rich.market.quality import QualityReport, check_quality, fill_gaps, require_fit
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.history import Pair
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Market


@dataclass(frozen=True, slots=True)
class StoredQuality:
    """The report on a stored series, and whether it is fit to train on.

    `indicators` are None where no table was given to compare with.
    """

    report: QualityReport
    market: Market
    source: str
    is_fit: bool
    verdict: str
    indicators: tuple[IndicatorAgreement, ...] | None = None

    def to_json(self) -> dict[str, object]:
        """Return it in JSON types."""
        plain = {
            **self.report.to_dict(),
            "market": self.market,
            "source": self.source,
            "is_fit": self.is_fit,
            "verdict": self.verdict,
        }
        return plain if self.indicators is None else plain | {"indicators": self.indicators}


def check_stored(place: Workplace, pair: Pair, tables: Sequence[Path], now: datetime) -> StoredQuality:
    """Check the stored candles of a pair, and compare their indicators with those of tables, if any."""
    stored = place.stored_series(*pair)
    candles = place.store().load(stored)
    report = check_quality(candles, *pair, now)
    try:
        require_fit(report)
        fault = None
    except DataError as error:
        fault = str(error)
    return StoredQuality(
        report=report,
        market=place.market,
        source=stored.source,
        is_fit=fault is None,
        verdict=fault or "fit to train on",
        indicators=compare_tables(candles, pair[1], tables) if tables else None,
    )


def compare_tables(
    candles: pl.DataFrame, timeframe: Timeframe, tables: Sequence[Path]
) -> tuple[IndicatorAgreement, ...]:
    """Return per indicator the days in common, the largest difference and the correlation."""
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
    return tuple(agreements)
