"""What travels between a trainer and those who ask it: experiments, occasions, fits and verdicts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import JsonValue

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.registry.manifest import Manifest, SnapshotReference
from make_us_rich.settings import Market
from make_us_rich.training.trained import Pooled

OnProgress = Callable[[str, float], None]
"""Gets a line of text and the share done of what the line names."""


class Experiment(Protocol):
    """The question a training asks of the data: a frozen record, stored with the models it made.

    `since` is a date or a number of days before the end, `until` a date, exclusive, None being all there is;
    `source` is as on the command line.
    """

    @property
    def symbol(self) -> str:
        """The pair."""
        ...

    @property
    def timeframe(self) -> str:
        """The length of a candle."""
        ...

    @property
    def source(self) -> str | None:
        """Where candles are fetched from first; None takes what is stored."""
        ...

    @property
    def since(self) -> str | None:
        """Where its candles begin."""
        ...

    @property
    def until(self) -> str | None:
        """Where they end."""
        ...

    def recipe(self) -> dict[str, JsonValue]:
        """Return it without its dates and source: equal recipes differ only in their data."""
        ...


ExperimentT = TypeVar("ExperimentT", bound=Experiment)
ContentT = TypeVar("ContentT")


@dataclass(frozen=True, slots=True, eq=False)
class Occasion:
    """When and on what a model is made.

    `pool_end` is where the newest candles end of all that are trained together. `rivals` are, by name, the
    champions that another recipe made.
    """

    snapshot: Snapshot
    now: datetime
    pool_end: datetime | None = None
    rivals: Mapping[str, Manifest] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """Where the candles of all that are trained together end."""
        return self.pool_end or self.snapshot.data_end


@dataclass(frozen=True, slots=True)
class CandleSpan:
    """Which candles a model rests on."""

    market: Market
    source: str
    reference: SnapshotReference
    data_end: datetime

    @classmethod
    def of(cls, snapshot: Snapshot) -> "CandleSpan":
        """Return the span of a snapshot."""
        reference = SnapshotReference(
            hash=snapshot.content_hash, first=snapshot.first, last=snapshot.last, rows=snapshot.rows
        )
        return cls(snapshot.market, snapshot.source, reference, snapshot.data_end)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what was made may serve at all, whoever stands before it: rules (a) to (c).

    `served_by` is who answers, at the first of several horizons; `refusal` says that and why nothing is
    promoted, and is None where it has passed.
    """

    served_by: str
    reasons: tuple[str, ...]
    refusal: str | None = None

    @property
    def passed(self) -> bool:
        """Whether it may serve."""
        return self.refusal is None

    def because(self, reason: str) -> "Verdict":
        """Return the verdict with a reason before the others."""
        return replace(self, reasons=(reason, *self.reasons))


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A new recipe beside the champion's, both fitted in the same folds: mean losses per whole block.

    `champion` is the version whose recipe that is; `refusal` says why there is nothing to compare.
    """

    champion: int
    own: BlockMeans | None = None
    theirs: BlockMeans | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Generic[ContentT]):
    """What a trainer made of one name, before anything is decided; it travels between processes.

    `widths` are those of the served 90 % intervals at the first horizon at the newest cutoffs, in time
    order; `comparison` is there where a rival stands before it.
    """

    content: ContentT
    verdict: Verdict
    widths: FloatArray | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fitted(Generic[ExperimentT, ContentT]):
    """A fit with what it is of."""

    name: str
    experiment: ExperimentT
    span: CandleSpan
    now: datetime
    fit: Fit[ContentT]
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The verdicts by name on what was trained together, and the tests over all of it, if there are any."""

    verdicts: Mapping[str, Verdict]
    pooled: Pooled | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Judged(Generic[ExperimentT, ContentT]):
    """A fit with its verdict, and the tests over all that was trained with it."""

    fitted: Fitted[ExperimentT, ContentT]
    verdict: Verdict
    pooled: Pooled = field(default_factory=dict)


AnyFitted = Fitted[Any, Any]
AnyJudged = Judged[Any, Any]
