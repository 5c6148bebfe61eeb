"""Which models are due for training: a pure function of what is on the shelf."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class ModelState:
    """What is known about the price model of a followed pair."""

    name: str
    symbol: Symbol
    timeframe: Timeframe
    versions: int


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """A training to begin, with candles that had closed by `until`, and why."""

    name: str
    symbol: Symbol
    timeframe: Timeframe
    until: datetime
    reason: str


def due(states: Sequence[ModelState], tried: Collection[str], cutoff: datetime) -> list[TrainingOrder]:
    """Return the trainings that are due at a cutoff, in order: every pair without a model, once.

    >>> from datetime import UTC
    >>> states = [ModelState("price.BTC-USDT.1h", Symbol("BTC", "USDT"), Timeframe("1h"), versions=0)]
    >>> [order.reason for order in due(states, tried=(), cutoff=datetime(2024, 1, 1, tzinfo=UTC))]
    ['no model yet']
    """
    return [
        TrainingOrder(state.name, state.symbol, state.timeframe, cutoff, "no model yet")
        for state in states
        if not state.versions and state.name not in tried
    ]
