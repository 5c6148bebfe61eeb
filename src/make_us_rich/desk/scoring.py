"""How forecasts turned out: each is kept until its target has closed, and scored once."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from make_us_rich.evaluation.metrics import covered, quantile_loss
from make_us_rich.models.forecast import ForecastStep, PriceForecast


@dataclass(frozen=True, slots=True)
class Score:
    """One forecast against what happened, with persistence made at the same cutoff as its yardstick.

    Losses are quantile losses of the log return from the last close; covered means inside the 90 % interval.
    """

    name: str
    horizon: int
    loss: float
    baseline_loss: float
    is_covered: bool


@dataclass(frozen=True, slots=True)
class _Pending:
    name: str
    last_close: float
    step: ForecastStep
    baseline: ForecastStep


class PendingForecasts:
    """The forecasts whose targets lie ahead, in memory."""

    def __init__(self) -> None:
        self._by_target: defaultdict[tuple[str, datetime], list[_Pending]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._by_target.values())

    def add(self, forecast: PriceForecast, baseline: PriceForecast) -> None:
        """Keep a forecast and the persistence forecast of the same cutoff."""
        for step, yardstick in zip(forecast.steps, baseline.steps, strict=True):
            pending = _Pending(forecast.name, forecast.last_close, step, yardstick)
            self._by_target[forecast.name, step.target_time].append(pending)

    def score(self, name: str, closes: Mapping[datetime, float]) -> list[Score]:
        """Score what fell due, given closes by close time; a target whose candle is missing is dropped."""
        latest = max(closes, default=None)
        if latest is None:
            return []
        due = [key for key in self._by_target if key[0] == name and key[1] <= latest]
        waiting = [(pending, closes.get(key[1])) for key in due for pending in self._by_target.pop(key)]
        return [_score(pending, close) for pending, close in waiting if close is not None]


def _score(pending: _Pending, close: float) -> Score:
    actual = np.asarray(np.log(close / pending.last_close))
    said, baseline = (
        np.log(np.asarray(step.quantiles) / pending.last_close) for step in (pending.step, pending.baseline)
    )
    return Score(
        name=pending.name,
        horizon=pending.step.horizon,
        loss=float(quantile_loss(said, actual)),
        baseline_loss=float(quantile_loss(baseline, actual)),
        is_covered=bool(covered(said, actual)),
    )
