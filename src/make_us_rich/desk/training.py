"""Training beside the running desk, in a process of its own: the one that serves never loads torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.process import ProcessFailure, RunningProcess, start_process
from make_us_rich.operations.requests import TrainRequest, TrainResult
from make_us_rich.operations.workplace import Workplace

_TRAIN = "make_us_rich.operations.train:train_models"


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What one training came to; `version` is None where it failed, and the reasons say why."""

    name: str
    version: int | None
    promoted: bool
    reasons: tuple[str, ...]


class Training(Protocol):
    """A training under way."""

    def is_over(self) -> bool:
        """Say whether it has ended."""
        ...

    def outcomes(self) -> list[TrainingOutcome]:
        """Wait for the end and return one outcome per model."""
        ...

    def cancel(self) -> None:
        """End it; the shelf ignores a half-written artifact."""
        ...


@dataclass(slots=True)
class TrainingProcess:
    """A training in a process of its own; its progress goes to our stderr."""

    symbols: tuple[Symbol, ...]
    process: RunningProcess[TrainResult]

    def is_over(self) -> bool:
        """Say whether the process has ended."""
        return self.process.is_over()

    def outcomes(self) -> list[TrainingOutcome]:
        """Wait for the end and return one outcome per model."""
        result = self.process.result()
        if isinstance(result, ProcessFailure):
            return [_failed(", ".join(str(symbol) for symbol in self.symbols), result.reason)]
        made = [
            TrainingOutcome(model.name, model.version, model.promoted, model.reasons)
            for model in result.models
        ]
        return [*made, *(_failed(one.name, one.reason) for one in result.failed)]

    def cancel(self) -> None:
        """End the process."""
        self.process.cancel()


def start_training(
    place: Workplace, symbols: Sequence[Symbol], timeframe: Timeframe, until: datetime
) -> Training:
    """Start to train on what the workplace has stored up to `until`, and return at once."""
    request = TrainRequest(
        home=place.settings.home,
        market=place.market,
        symbols=tuple(str(symbol) for symbol in symbols),
        timeframe=timeframe.name,
        until=until.isoformat(),
    )
    return TrainingProcess(tuple(symbols), start_process(_TRAIN, request, TrainResult))


def _failed(name: str, reason: str) -> TrainingOutcome:
    return TrainingOutcome(name, version=None, promoted=False, reasons=(reason,))
