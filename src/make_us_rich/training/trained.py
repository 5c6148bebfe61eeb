"""What a training came to, as it is told: plain values that other processes and commands read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, JsonValue

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.trends.evidence import TrendEvidence
from make_us_rich.registry.trend_promotion import PooledTest


@dataclass(frozen=True, slots=True)
class TriedForecaster(TrendEvidence):
    """A candidate, a baseline or the whole recipe, with the scores of the second published system."""

    published: dict[str, float]


Evidence = Annotated[
    HorizonEvidence | TriedForecaster | dict[str, JsonValue], Field(union_mode="left_to_right")
]
"""What a decision rests on: per horizon for prices, per forecaster for trends, of its own for other kinds."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which candidate won, who serves, and why candidates were left out."""

    winner: str
    served_by: str
    dropped: dict[str, str]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A new version on the shelf; `reasons` say in words why it was promoted or kept back.

    `choice` is there where candidates were chosen from.
    """

    name: str
    version: int
    promoted: bool
    reasons: tuple[str, ...]
    seconds: float
    evidence: tuple[Evidence, ...] = ()
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class FailedTraining:
    """A name for which nothing was shelved, and why, in one line."""

    name: str
    reason: str


Pooled = Mapping[str, Mapping[str, PooledTest]]
"""Tests over all that was trained together, by group (a direction of trends) and baseline."""
