"""Everything that happens by itself, as frozen records of plain values: text, numbers and moments.

What is about a name that belongs to somebody carries its `owner`, the id of a user, and is for nobody else.
The types they tell of live in later rows of the house, so an event names a forecast, it does not hold one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a market, at a moment of its clock."""

    market: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CandleClosed(Event):
    """The newest candle of a series has closed and is stored; `added` candles are new since the last time."""

    source: str
    symbol: str
    timeframe: str
    close_time: datetime
    added: int


@dataclass(frozen=True, slots=True)
class ForecastMade(Event):
    """A forecast was made and stands in the journal: who serves how many horizons, of which version."""

    name: str
    cutoff: datetime
    version: int | None
    horizons: tuple[int, ...]
    served_by: tuple[str, ...]
    has_quantiles: bool
    owner: int | None


@dataclass(frozen=True, slots=True)
class Scored(Event):
    """A recorded forecast met what happened; losses are its own and its first yardstick's."""

    name: str
    horizon: int
    target_time: datetime
    loss: float
    baseline_loss: float
    is_covered: bool | None
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Drifted(Event):
    """A week was judged and a horizon is watched, or broken and served by its baseline from now on."""

    name: str
    horizon: int
    version: int
    state: Literal["watch", "broken"]
    reason: str
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Promoted(Event):
    """Another version is served from now on; None is the baseline."""

    name: str
    version: int | None
    reason: str
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingChanged(Event):
    """A training began, ended with a version on the shelf, or failed; the reasons say why it was kept."""

    name: str
    state: Literal["begun", "trained", "failed"]
    version: int | None
    promoted: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertFired(Event):
    """A rule of a user came true."""

    rule: str
    owner: int
    text: str


@dataclass(frozen=True, slots=True)
class Health(Event):
    """A part of the desk is well again, or is not."""

    part: str
    is_well: bool
    says: str
