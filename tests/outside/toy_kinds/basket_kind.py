"""What will half a bitcoin and five ether be worth? A kind computed from others, each name for its owner."""

import numpy as np

from make_us_rich.forecasting.forecast import Forecast, ForecastStep
from make_us_rich.forecasting.inputs import inputs_hash
from make_us_rich.forecasting.kind import CandleNeed, Subject
from make_us_rich.forecasting.kind_defaults import KindDefaults
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.baselines import baseline_quantiles
from make_us_rich.registry.model_name import ModelName

HOUR = Timeframe("1h")
HELD = {Symbol("BTC", "USDT"): 0.5, Symbol("ETH", "USDT"): 5.0}
OWNERS: dict[str, int] = {}
"""Whose baskets there are, by their names: the ids of users."""
PAST = "past_quarter"


class BasketKind(KindDefaults):
    """The value of a basket in one candle: now, spread by how the basket moved in the past 100 days."""

    name = "basket"
    has_owners = True
    baselines = yardsticks = (PAST,)

    def subjects(self, view):
        stored = {one.symbol: one for one in view.series() if one.timeframe == HOUR}
        if HELD.keys() <= stored.keys():
            for basket, owner in OWNERS.items():
                yield Subject(ModelName(self.name, basket, HOUR), stored[next(iter(HELD))], owner)

    def needs(self, subject, models):
        return [CandleNeed(subject.series.of(symbol), 24 * 100) for symbol in HELD]

    def reads(self, subject):
        return [ModelName("price", symbol, HOUR) for symbol in HELD]

    def forecast(self, subject, cutoff, candles, models):
        known, worth = self.inputs(subject, cutoff, candles), value_of(candles)
        spread = baseline_quantiles("persistence", worth["close"].to_numpy(), HOUR, (1,))[0]
        last = worth["close"].item(-1)
        step = ForecastStep(
            1,
            cutoff + HOUR.duration,
            PAST,
            is_baseline=True,
            quantiles=tuple((last * np.exp(spread)).tolist()),
        )
        return Forecast(
            name=subject.name,
            market=candles.market,
            cutoff=cutoff,
            last_close=last,
            steps=(step,),
            version=None,
            input_hash=inputs_hash(known),
            yardsticks={PAST: (step,)},
            owner=subject.owner,
        )

    def actuals(self, name, questions, candles):
        values = {opened + HOUR.duration: close for opened, close in value_of(candles).iter_rows()}
        return {one: values[one.target_time] for one in questions if one.target_time in values}


def value_of(candles):
    """Return open times and what the basket was worth when the candle closed."""
    first, second = (
        frame.select("open_time", close=frame["close"] * HELD[series.symbol])
        for series, frame in candles.frames.items()
    )
    both = first.join(second, on="open_time", suffix="_other")
    return both.select("open_time", close=both["close"] + both["close_other"])
