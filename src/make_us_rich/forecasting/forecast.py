"""One record for every kind of forecast: what is said of each horizon, and what yardsticks say beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from make_us_rich.models.quantiles import MEDIAN
from make_us_rich.registry.model_name import ModelName
from make_us_rich.settings import Market

SERVED = "served"
"""The forecaster of what is answered; every other one is named like the yardstick it is."""


@dataclass(frozen=True, slots=True)
class ForecastStep:
    """What one forecaster says about one horizon: 13 rising quantiles, a probability, or why nothing.

    `served_by` is who spoke (`lstm`, `persistence` …), `version` that of the artifact it came from. With
    `is_baseline` no model has passed the promotion rule there. `remark` says why a baseline stands where a
    model had earned the horizon, `missing` why there is no forecast.
    """

    horizon: int
    target_time: datetime
    served_by: str
    is_baseline: bool = False
    version: int | None = None
    quantiles: tuple[float, ...] | None = None
    probability: float | None = None
    missing: str | None = None
    remark: str | None = None

    def __post_init__(self) -> None:
        if self.missing is None and (self.quantiles is None) == (self.probability is None):
            raise ValueError(f"{self.served_by}: quantiles or a probability, and not both")

    @property
    def median(self) -> float | None:
        """The quantile at level 0.5; None for a probability."""
        return None if self.quantiles is None else self.quantiles[MEDIAN]


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
class Forecast:
    """All that is said about one name, made with the candles known at `cutoff` and nothing else.

    `question` is the event a probability is of; None for prices. `yardsticks` are what the baselines say at
    the same cutoff, by name. `input_hash` is the SHA-256 of what it was made from. Only `owner`, the id of a
    user, may see it; None is everybody.
    """

    name: ModelName
    market: Market
    cutoff: datetime
    last_close: float
    steps: tuple[ForecastStep, ...]
    version: int | None
    input_hash: str
    question: str | None = None
    yardsticks: Mapping[str, tuple[ForecastStep, ...]] = field(default_factory=dict)
    challenger: Challenger | None = None
    owner: int | None = None

    def step_at(self, horizon: int) -> ForecastStep | None:
        """Return what is served at a horizon, if anything is."""
        return next((step for step in self.steps if step.horizon == horizon), None)

    def ahead_of(self, now: datetime) -> "Forecast":
        """Return the forecast without the targets that have passed."""
        return replace(self, steps=tuple(step for step in self.steps if step.target_time > now))

    def with_steps(self, steps: Sequence[ForecastStep]) -> "Forecast":
        """Return the forecast with some of its steps replaced, by horizon."""
        instead = {step.horizon: step for step in steps}
        return replace(self, steps=tuple(instead.get(step.horizon, step) for step in self.steps))


def demoted(forecast: Forecast, broken: Mapping[int, str], yardstick: str) -> Forecast:
    """Return the forecast with what a yardstick says at the horizons where the model has broken, and why.

    A horizon a baseline serves already, or for which the yardstick says nothing, stays as it is.
    """
    beside = {step.horizon: step for step in forecast.yardsticks.get(yardstick, ()) if step.missing is None}
    steps = [
        replace(
            beside[step.horizon],
            is_baseline=True,
            version=step.version,
            remark=broken[step.horizon],
        )
        for step in forecast.steps
        if step.horizon in broken and step.horizon in beside and not step.is_baseline
    ]
    return forecast.with_steps(steps)
