"""What an artifact says about itself, and everything needed to make it again."""

import math
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    JsonValue,
    model_validator,
)

from make_us_rich.market.activity import ACTIVITY_COLUMNS, MARKET_VARIANCE
from make_us_rich.registry.model_name import ModelName
from make_us_rich.settings import Market

MANIFEST_FORMAT: Literal[1] = 1


def _as_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _finite_or_none(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_as_utc)]
Statistic = Annotated[
    float | None, BeforeValidator(_finite_or_none)
]  # None where too few blocks leave it undefined


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


class EvidenceRecord(StoredRecord):
    """How a forecaster did at one horizon on folds nobody chose on; skill by yardstick."""

    horizon: int
    folds: int
    blocks: int
    n: int
    skill: dict[str, Statistic]
    skill_sd: Statistic
    p_value: dict[str, Statistic]
    coverage_90: Statistic
    coverage_se: Statistic
    served_by: str


class SharedManifest(StoredRecord):
    """What a manifest of either kind says before its artifact has a version."""

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

    @model_validator(mode="after")
    def _name_agrees(self) -> Self:
        name = ModelName.parse(self.name)
        if (name.kind, str(name.symbol), str(name.timeframe)) != (self.kind, self.symbol, self.timeframe):
            raise ValueError(f"name {self.name} is not that of {self.kind}, {self.symbol}, {self.timeframe}")
        return self


class ManifestDraft(SharedManifest):
    """The manifest of a price model before its artifact has a version."""

    kind: Literal["price"] = "price"
    market_symbols: tuple[str, ...] = ()
    window: int
    horizons: tuple[int, ...]
    quantile_levels: tuple[float, ...]
    target: str
    served_by: dict[str, str]
    evidence: dict[str, tuple[EvidenceRecord, ...]]

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if tuple(self.served_by) != tuple(str(horizon) for horizon in self.horizons):
            raise ValueError(
                f"served_by names horizons {list(self.served_by)}, the model has {list(self.horizons)}"
            )
        if self.lookback < self.window:
            raise ValueError(f"lookback {self.lookback} is shorter than the window {self.window}")
        if unknown := set(self.activity_columns) - set(ACTIVITY_COLUMNS.values()):
            raise ValueError(f"activity names {', '.join(sorted(unknown))}, which this version does not know")
        if (MARKET_VARIANCE in self.activity_columns) != bool(self.market_symbols):
            raise ValueError(f"{MARKET_VARIANCE} and market_symbols go together")
        return self

    @property
    def activity_columns(self) -> tuple[str, ...]:
        """The columns the model reads besides candles; `market_symbols` are who makes up the market."""
        return next((one.columns for one in self.inputs if one.name == "activity"), ())

    def evidence_at(self, horizon: int) -> EvidenceRecord | None:
        """Return the evidence of the forecaster that serves this horizon, if there is any."""
        records = self.evidence.get(self.served_by[str(horizon)], ())
        return next((record for record in records if record.horizon == horizon), None)


class Manifest(ManifestDraft):
    """The manifest of a shelved price artifact, with the SHA-256 of every other file beside it."""

    format: Literal[1] = MANIFEST_FORMAT
    version: int
    files: dict[str, str]
