"""What a training is asked for and what it answers: light records that travel between processes as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from make_us_rich.errors import UsageError
from make_us_rich.registry.trend_promotion import PooledTest
from make_us_rich.training.trained import FailedTraining, TrainedModel

DEFAULT_PRESET = "lstm"


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train, as on the command line: pairs by a preset, or an experiment file.

    `home` is that of the desk, None being what the settings say. With `all_stored` every pair is trained that
    is stored or recorded. What is None is as the preset or the file has it; `workers` None is one per core.
    """

    home: Path | None = None
    market: str | None = None
    symbols: tuple[str, ...] = ()
    file: Path | None = None
    all_stored: bool = False
    preset: str | None = None
    timeframe: str | None = None
    source: str | None = None
    since: str | None = None
    until: str | None = None
    direction: str | None = None
    workers: int | None = None

    @property
    def changes(self) -> dict[str, object]:
        """The keys of an experiment that are given here."""
        directions = None if self.direction is None else (self.direction,)
        given = {
            "timeframe": self.timeframe,
            "source": self.source,
            "since": self.since,
            "until": self.until,
            "directions": directions,
        }
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What came of a request: the models by name, and the failures, which stopped nobody else.

    `pooled` are the tests over all that was judged together, by group and baseline; None for kinds that are
    judged one by one.
    """

    models: tuple[TrainedModel, ...]
    failed: tuple[FailedTraining, ...]
    seconds: float
    pooled: dict[str, dict[str, PooledTest]] | None = field(default=None)


def split_targets(targets: Sequence[str]) -> tuple[tuple[str, ...], Path | None]:
    """Return what was named to be trained as pairs, or as the one experiment file it may be."""
    files = [text for text in targets if text.endswith((".yaml", ".yml"))]
    if not files:
        return tuple(targets), None
    if len(targets) > 1:
        raise UsageError(f"train either pairs or one experiment file, not {' and '.join(targets)}")
    return (), Path(files[0])
