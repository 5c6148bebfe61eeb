"""The candles of a round: every series once, however many forecasts read it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import polars as pl

from make_us_rich.errors import StoreError
from make_us_rich.forecasting.kind import CandleNeed
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.market.series import Series


def load_once(view: MarketView, needs: Iterable[tuple[CandleNeed, datetime]]) -> dict[Series, pl.DataFrame]:
    """Return the candles of needs and their cutoffs, as far back as the one that reads most.

    A series that cannot be read is left out: `part_of` says so, to the names that read it and to no others.
    """
    widest: dict[Series, CandleNeed] = {}
    ends: dict[Series, datetime] = {}
    for need, cutoff in needs:
        widest[need.series] = _wider(widest.get(need.series), need)
        ends[need.series] = max(cutoff, ends.get(need.series, cutoff))
    loaded = {}
    for series, need in widest.items():
        with suppress(StoreError):
            loaded[series] = _load(view, need, ends[series])
    return loaded


def part_of(
    view: MarketView, loaded: Mapping[Series, pl.DataFrame], need: CandleNeed, cutoff: datetime
) -> pl.DataFrame:
    """Return what one need is of the loaded candles, read where it is not among them."""
    if need.series not in loaded:
        return _load(view, need, cutoff)
    return _cut(loaded[need.series], need, cutoff)


def _load(view: MarketView, need: CandleNeed, cutoff: datetime) -> pl.DataFrame:
    return view.closed_candles(need.series, need.count, cutoff, with_trades=need.with_trades)


def _cut(candles: pl.DataFrame, need: CandleNeed, cutoff: datetime) -> pl.DataFrame:
    duration = need.series.timeframe.duration
    if len(candles) and candles["open_time"].item(-1) + duration > cutoff:
        candles = candles.filter(pl.col("open_time") <= cutoff - duration)
    if need.count is None or candles.is_empty():
        return candles
    since = min(cutoff, candles["open_time"].item(-1) + duration) - need.count * duration
    return candles if candles["open_time"].item(0) >= since else candles.filter(pl.col("open_time") >= since)


def _wider(known: CandleNeed | None, need: CandleNeed) -> CandleNeed:
    if known is None:
        return need
    counts: Sequence[int | None] = (known.count, need.count)
    longest = None if None in counts else max(count for count in counts if count is not None)
    return CandleNeed(need.series, longest, known.with_trades or need.with_trades)
