"""What an artifact says about itself, and everything needed to make it again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    JsonValue,
    model_validator,
)

from make_us_rich.registry.model_name import ModelName
from make_us_rich.settings import Market

MANIFEST_FORMAT: Literal[1] = 1


def _as_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_as_utc)]


class StoredRecord(BaseModel):
    """A frozen record that is kept as JSON; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TensorSpec(StoredRecord):
    """One input or output of the graph; free dimensions are named, fixed ones are numbers.

    `columns` are those of the last dimension, where its name does not say them.
    """

    name: str
    dtype: str
    shape: tuple[str | int, ...]
    columns: tuple[str, ...] = ()


class SnapshotReference(StoredRecord):
    """Which candles the model was fitted on."""

    hash: str
    first: UtcDatetime
    last: UtcDatetime
    rows: int


class Manifest(StoredRecord):
    """What the manifest of every kind says; each kind adds its own fields in a class below this one.

    `version` is 0 and `files`, the SHA-256 of every other file, is empty until the artifact is shelved.
    """

    name: str
    kind: str
    model: str
    symbol: str
    timeframe: str
    market: Market
    source: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    lookback: int
    experiment: dict[str, JsonValue]
    snapshot: SnapshotReference
    trained_at: UtcDatetime
    data_end: UtcDatetime
    code_version: str
    library_versions: dict[str, str]
    seed: int
    format: Literal[1] = MANIFEST_FORMAT
    version: int = 0
    files: dict[str, str] = {}

    @model_validator(mode="after")
    def _name_agrees(self) -> Self:
        name = ModelName.parse(self.name)
        if (name.kind, str(name.subject), str(name.timeframe)) != (self.kind, self.symbol, self.timeframe):
            raise ValueError(f"name {self.name} is not that of {self.kind}, {self.symbol}, {self.timeframe}")
        return self

    def shelved(self, version: int, files: Mapping[str, str]) -> Self:
        """Return the manifest of a version on the shelf."""
        return self.model_copy(update={"version": version, "files": dict(files)})

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield what a tracker shows as parameters: the experiment, flattened, and the data."""
        yield from _flattened("", self.experiment)
        yield "snapshot_hash", self.snapshot.hash
        yield "snapshot_rows", str(self.snapshot.rows)
        yield "data_end", self.data_end.isoformat()

    def metrics(self, forecaster: str | None = None) -> Iterator[tuple[str, float]]:  # noqa: ARG002
        """Yield the scores of one forecaster, by default those of the recipe as a whole."""
        yield from ()

    def tracker_tags(self) -> dict[str, str]:
        """Return the words a tracker can search for; the tags of a kind come between, see `kind_tags`."""
        return (
            {"symbol": self.symbol, "pair": self.symbol}
            | {f"library.{library}": version for library, version in self.library_versions.items()}
            | {key: text if isinstance(text, str) else json.dumps(text) for key, text in self.kind_tags()}
            | {
                "shelf_version": str(self.version),
                "timeframe": self.timeframe,
                "market": self.market,
                "source": self.source,
                "model": self.model,
                "code_version": self.code_version,
                "seed": str(self.seed),
            }
        )

    def kind_tags(self) -> Iterator[tuple[str, Any]]:
        """Yield further tags of a kind."""
        yield from ()

    def served_evidence(self) -> Sequence[object]:
        """Return the evidence a person is shown for this version: records of the kind, frozen dataclasses."""
        return ()

    def event_words(self) -> str | None:
        """Return the event a probability is of, in words; None for quantiles."""
        return None

    def who_serves(self) -> str | None:
        """Return who answers everywhere; None where that differs by horizon."""
        return None

    def who_answers(self) -> str | None:
        """Return one sentence where promoting this version leaves another forecaster answering."""
        return None


def _flattened(prefix: str, content: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flattened(f"{prefix}{key}.", value)
        elif value is not None:
            yield f"{prefix}{key}", str(value)
