"""The trend forecast as a record: the probability of an event, its yardsticks, and who says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from make_us_rich.features.trend_labels import Direction, TrendLabel


@dataclass(frozen=True, slots=True)
class Challenger:
    """What a model on the shelf says that does not answer.

    `is_proven` is false where its own evidence did not pass the promotion rule.
    """

    version: int
    model: str
    probability: float
    is_proven: bool


@dataclass(frozen=True, slots=True)
class TrendForecast:
    """The probability of a trend, made with the candles known at `cutoff` and nothing else.

    `baselines` are what the yardsticks say at the same cutoff, None where one could not be fitted;
    `is_baseline` says that one of them answers, because no model is proven better.
    """

    name: str
    symbol: str
    timeframe: str
    direction: Direction
    market: str
    cutoff: datetime
    target_time: datetime
    last_close: float
    label: TrendLabel
    probability: float
    served_by: str
    is_baseline: bool
    baselines: Mapping[str, float | None]
    model_version: int | None
    challenger: Challenger | None
