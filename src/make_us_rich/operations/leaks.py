"""The leak check over everything a forecast is made from; it loads torch, whose columns it looks at."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

import polars as pl

from make_us_rich.evaluation.leakage import Columns, LeakReport, check_leakage, merge_reports
from make_us_rich.evaluation.model_inputs import baseline_inputs, price_model_inputs
from make_us_rich.evaluation.trends.inputs import trend_baseline_inputs
from make_us_rich.features.feature_set import known_features
from make_us_rich.features.indicators import WARM_UP as TREND_WARM_UP
from make_us_rich.features.indicators import trend_indicators
from make_us_rich.features.market_volatility import market_frame, market_variance
from make_us_rich.market.activity import ACTIVITY_COLUMNS
from make_us_rich.market.quality import fill_gaps
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.baselines import MINIMUM_DAYS
from make_us_rich.models.price_features import WARM_UP
from make_us_rich.operations.workplace import Workplace

_CANDLES = 6000  # enough for every warm-up, and checked in seconds
_SIMULATED_UNTIL = datetime.fromisoformat("2024-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """The verdict; `candles` says on which candles."""

    candles: str
    report: LeakReport

    def to_json(self) -> dict[str, object]:
        """Return it in JSON types; every leak comes with what to do about it."""
        return {
            "candles": self.candles,
            "is_clean": self.report.is_clean,
            "cuts": self.report.cuts,
            "columns": self.report.columns,
            "leaks": [asdict(leak) | {"advice": leak.advice} for leak in self.report.leaks],
        }


def check_leaks(timeframe: Timeframe, place: Workplace | None = None, symbol: str = "") -> LeakCheck:
    """Check everything on the stored candles of a pair of a place, or without one on simulated candles."""
    if place is None:
        candles, says = simulated_candles(timeframe), f"simulated {timeframe}"
    else:
        candles = stored_candles(place, Symbol.parse(symbol), timeframe)
        says = f"{place.market} {symbol} {timeframe}"
    return LeakCheck(says, check_everything(candles, timeframe))


def stored_candles(place: Workplace, symbol: Symbol, timeframe: Timeframe) -> pl.DataFrame:
    """Return the newest stored candles of a series, gap-free."""
    candles = place.store().load_full(place.stored_series(symbol, timeframe))
    return fill_gaps(candles.tail(_CANDLES), timeframe)


def simulated_candles(timeframe: Timeframe) -> pl.DataFrame:
    """Return simulated candles: a column leaks or not whatever the prices are."""
    since = _SIMULATED_UNTIL - _CANDLES * timeframe.duration
    pages = SimulatedSource().fetch(Symbol("BTC", "USDT"), timeframe, since, _SIMULATED_UNTIL)
    return fill_gaps(pl.concat(pages), timeframe)


def check_everything(candles: pl.DataFrame, timeframe: Timeframe) -> LeakReport:
    """Check every feature, every input of the price models, the optional ones too, and every baseline."""
    candles = with_activity(candles)
    day = timedelta(days=1) // timeframe.duration
    parts: tuple[tuple[Columns, int], ...] = (
        *((partial(feature, timeframe=timeframe), WARM_UP) for feature in known_features(timeframe).values()),
        (price_model_inputs(timeframe, tuple(ACTIVITY_COLUMNS)), WARM_UP),
        (baseline_inputs(timeframe), MINIMUM_DAYS * day + 1),
        *(
            [(trend_indicators, TREND_WARM_UP), (trend_baseline_inputs, TREND_WARM_UP)]
            if timeframe.name == "1d"
            else []
        ),
    )
    return merge_reports([check_leakage(part, candles, timeframe, warm_up) for part, warm_up in parts])


def with_activity(candles: pl.DataFrame) -> pl.DataFrame:
    """Return candles with everything the optional inputs read, made up where the source does not tell it.

    The market is stood for by the candles themselves.
    """
    made_up = {"trades": 1000 * pl.col("volume"), "taker_buy_base": pl.col("volume") * _place_of_close()}
    untold = [
        value.alias(name)
        for name, value in made_up.items()
        if name not in candles.columns or candles[name].null_count()
    ]
    times = candles["open_time"]
    return candles.with_columns(
        *untold, market_variance(times, [candles]), *market_frame(times, {"OTHER-SYMBOL": candles})
    )


def _place_of_close() -> pl.Expr:
    return ((pl.col("close") - pl.col("low")) / (pl.col("high") - pl.col("low"))).fill_nan(0.5)
