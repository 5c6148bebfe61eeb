"""The leak check over everything a forecast is made from."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from make_us_rich.desk.workplace import Workplace
from make_us_rich.evaluation.leakage import LeakReport, check_leakage, merge_reports
from make_us_rich.evaluation.model_inputs import baseline_inputs, price_model_inputs
from make_us_rich.features.feature_set import compute_features
from make_us_rich.market.quality import fill_gaps
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.baselines import MINIMUM_DAYS
from make_us_rich.models.price_features import WARM_UP

_CANDLES = 6000  # enough for every warm-up, and checked in seconds
_SIMULATED_UNTIL = datetime.fromisoformat("2024-01-01T00:00:00+00:00")


def stored_candles(place: Workplace, symbol: Symbol, timeframe: Timeframe) -> pl.DataFrame:
    """Return the newest stored candles of a series, gap-free."""
    candles = place.store().load(place.stored_source(symbol, timeframe), symbol, timeframe)
    return fill_gaps(candles.tail(_CANDLES), timeframe)


def simulated_candles(timeframe: Timeframe) -> pl.DataFrame:
    """Return simulated candles: a column leaks or not whatever the prices are."""
    since = _SIMULATED_UNTIL - _CANDLES * timeframe.duration
    pages = SimulatedSource().fetch(Symbol("BTC", "USDT"), timeframe, since, _SIMULATED_UNTIL)
    return fill_gaps(pl.concat(pages), timeframe)


def check_everything(candles: pl.DataFrame, timeframe: Timeframe) -> LeakReport:
    """Check every feature, every input of the price models and every baseline."""
    day = timedelta(days=1) // timeframe.duration
    parts = (
        (lambda frame: compute_features(frame, timeframe), WARM_UP),
        (price_model_inputs(timeframe), WARM_UP),
        (baseline_inputs(timeframe), MINIMUM_DAYS * day + 1),
    )
    return merge_reports([check_leakage(part, candles, timeframe, warm_up) for part, warm_up in parts])


def leakage_record(report: LeakReport, candles: str) -> dict[str, Any]:
    """Return the verdict in JSON types; every leak comes with what to do about it."""
    leaks = [asdict(leak) | {"advice": leak.advice} for leak in report.leaks]
    return {
        "candles": candles,
        "is_clean": report.is_clean,
        "cuts": report.cuts,
        "columns": list(report.columns),
        "leaks": leaks,
    }
