"""Training beside the running desk, in a process of its own: the one that serves never loads torch."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from make_us_rich.desk.workplace import Workplace
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

_SECONDS_TO_END = 10.0


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What one training came to; `version` is None where it failed, and the reasons say why."""

    name: str
    version: int | None
    promoted: bool
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Training:
    """A running `mur train`; its progress goes to our stderr, its answer to a file."""

    symbols: tuple[Symbol, ...]
    process: subprocess.Popen[bytes]
    answer: IO[bytes]

    def is_over(self) -> bool:
        """Say whether the process has ended."""
        return self.process.poll() is not None

    def outcomes(self) -> list[TrainingOutcome]:
        """Wait for the end and return one outcome per model."""
        status = self.process.wait()
        self.answer.seek(0)
        text = self.answer.read()
        self.answer.close()
        if status != 0 and not text:
            names = ", ".join(str(symbol) for symbol in self.symbols)
            reason = f"`mur train` ended with status {status}; its own line above says why"
            return [TrainingOutcome(names, version=None, promoted=False, reasons=(reason,))]
        return _read_outcomes(json.loads(text))

    def cancel(self) -> None:
        """End the process; a half-written artifact is left to the shelf, which ignores it."""
        if self.is_over():
            return
        self.process.terminate()
        try:
            self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_training(
    place: Workplace, symbols: Sequence[Symbol], timeframe: Timeframe, until: datetime
) -> Training:
    """Start `mur train` on what the workplace has stored up to `until`, and return at once."""
    command = [sys.executable, "-m", "make_us_rich.cli", "train", *(str(symbol) for symbol in symbols)]
    options = [
        "--timeframe",
        timeframe.name,
        "--market",
        place.market,
        "--until",
        until.isoformat(),
        "--json",
    ]
    answer = tempfile.TemporaryFile()  # noqa: SIM115  # a pipe that nobody reads would block a long answer
    environment = os.environ | {"MUR_HOME": str(place.settings.home)}
    process = subprocess.Popen([*command, *options], stdout=answer, env=environment)
    return Training(tuple(symbols), process, answer)


def _read_outcomes(answer: dict[str, Any]) -> list[TrainingOutcome]:
    made = [
        TrainingOutcome(model["name"], model["version"], model["promoted"], tuple(model["reasons"]))
        for model in answer.get("models", [answer])
    ]
    failed = [
        TrainingOutcome(failure["name"], version=None, promoted=False, reasons=(failure["reason"],))
        for failure in answer.get("failed", [])
    ]
    return made + failed
