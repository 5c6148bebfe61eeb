"""What a kind of forecast says about itself; everything that serves, records and scores goes by it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import polars as pl

from make_us_rich.arrays import FloatArray
from make_us_rich.forecasting.forecast import Forecast
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.market.series import Series
from make_us_rich.registry.artifact import AnyArtifact, AnyArtifactType
from make_us_rich.registry.bundle import BundleTexts
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.model_name import ModelName
from make_us_rich.settings import Market


@dataclass(frozen=True, slots=True)
class Subject:
    """One name a kind can forecast: on which candles, and whose it is.

    `series` is the one whose closed candle makes the next forecast due; None where its candles are not
    stored. Only `owner`, the id of a user, sees it; None is everybody.
    """

    name: ModelName
    series: Series | None
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class CandleNeed:
    """Candles a forecast is made from: the newest `count` steps that have closed, or None for all."""

    series: Series
    count: int | None
    with_trades: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class KnownCandles:
    """The stored candles of a market that had closed at a cutoff, by series, gaps and all.

    Those of the name's own series come first.
    """

    market: Market
    frames: Mapping[Series, pl.DataFrame]

    @property
    def own(self) -> pl.DataFrame:
        """The candles of the series the name is about."""
        return next(iter(self.frames.values()))

    def of(self, series: Series) -> pl.DataFrame:
        """Return the candles of one series."""
        return self.frames[series]


@dataclass(frozen=True, slots=True, eq=False)
class ShelvedModels:
    """The verified models of one name.

    `champion` is the version in service, `newest` the newest one where that is another and the kind asks for
    it, `others` the champions of other names that a derived kind is computed from.
    """

    champion: AnyArtifact | None = None
    newest: AnyArtifact | None = None
    others: Mapping[ModelName, AnyArtifact | None] = field(default_factory=dict)

    @property
    def described(self) -> AnyArtifact | None:
        """The version whose question and evidence count."""
        return self.champion or self.newest

    @property
    def version(self) -> int | None:
        """The version of the champion; None without one."""
        return self.champion.manifest.version if self.champion else None

    def are(self, others: "ShelvedModels") -> bool:
        """Say whether the very same artifacts are meant."""
        return (
            self.champion is others.champion
            and self.newest is others.newest
            and self.others.keys() == others.others.keys()
            and all(self.others[name] is others.others[name] for name in self.others)
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What a recorded forecast is about; `event` describes what a probability is of."""

    cutoff: datetime
    horizon: int
    target_time: datetime
    event: str | None


TOO_EARLY = "too early to tell"
"""The verdict on a live record under eight whole blocks."""


@dataclass(frozen=True, slots=True)
class Live:
    """How the recorded forecasts of a name turned out at one horizon; see `journal.track_record`."""

    n: int
    skill: float | None
    skill_low: float | None
    skill_high: float | None
    coverage_90: float | None
    verdict: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A forecast in service, with the models behind it.

    `is_recorded` says that it stands in the journal, `live` by horizon how past ones turned out.
    """

    forecast: Forecast
    models: ShelvedModels
    is_recorded: bool = False
    live: Mapping[int, Live] = field(default_factory=dict)


class ForecastKind(Protocol):
    """One kind of forecast.

    A kind is found by name, ours in `forecasting.kinds`, others through the entry points
    `make_us_rich.kinds`. `make_us_rich.testing.check_kind` checks what is promised here.
    """

    @property
    def name(self) -> str:
        """The first part of the names of its forecasts: `price`."""
        ...

    @property
    def trainer(self) -> str | None:
        """Where its trainer is, as `module:object`, looked up by training only; None for a derived kind."""
        ...

    @property
    def artifact(self) -> AnyArtifactType | None:
        """How its artifacts are read; None for a derived kind, which has none."""
        ...

    @property
    def baselines(self) -> tuple[str, ...]:
        """The baselines that can answer where no model is proven better."""
        ...

    @property
    def yardsticks(self) -> tuple[str, ...]:
        """The baselines written down beside what is served; skill is measured against the first."""
        ...

    @property
    def has_owners(self) -> bool:
        """Whether its names may belong to somebody; one that is not in the market is then seen by nobody."""
        ...

    @property
    def follows_newest(self) -> bool:
        """Whether the newest version is shown beside what is served while it is not the champion."""
        ...

    @property
    def is_told_by_record(self) -> bool:
        """Whether a recorded forecast can be answered as it is, without making it again."""
        ...

    def subjects(self, view: MarketView) -> Iterable[Subject]:
        """Return every name that can be forecast in a market."""
        ...

    def needs(self, subject: Subject, models: ShelvedModels) -> Sequence[CandleNeed]:
        """Return the candles a forecast is made from, those of the name's own series first."""
        ...

    def reads(self, subject: Subject) -> Collection[ModelName]:
        """Return the names whose champions a derived kind is computed from; nothing for the others."""
        ...

    def forecast(
        self, subject: Subject, cutoff: datetime, candles: KnownCandles, models: ShelvedModels
    ) -> Forecast:
        """Return the forecast at a cutoff; nothing but the arguments enters, and all steps are there.

        Raises a `DataError` where the candles are not fit, `ForecastUnavailableError` where nothing honest
        can be said.
        """
        ...

    def horizons(self, models: ShelvedModels) -> tuple[int, ...]:
        """Return the horizons of a forecast, in candles."""
        ...

    def question(self, models: ShelvedModels) -> str | None:
        """Return the event the probability is of; None for quantiles."""
        ...

    def actuals(
        self, name: ModelName, questions: Sequence[Question], candles: KnownCandles
    ) -> Mapping[Question, float]:
        """Return what came of each question whose candles are there: a price, or 1 or 0 for an event."""
        ...

    def losses(self, said: FloatArray, last_close: FloatArray, actual: FloatArray) -> FloatArray:
        """Return what each of n forecasts cost.

        `said` is (n, 13) quantiles or (n, 1) probabilities, `last_close` and `actual` are (n,).
        """
        ...

    def looks_back(self, name: ModelName) -> timedelta:
        """Return how far before a cutoff the candles reach that `actuals` reads."""
        ...

    def block(self, name: ModelName, horizon: int) -> timedelta:
        """Return the span within which forecasts err together; the track record counts whole ones."""
        ...

    def answer(self, served: Served) -> dict[str, Any]:
        """Return what the API says about a forecast, in JSON types, all but market, notice and age."""
        ...

    def card(self, manifest: Manifest | None) -> dict[str, Any]:
        """Return what a model card says about a version beyond what all kinds say; None: nothing serves."""
        ...

    def bundle(self, manifest: Manifest) -> BundleTexts:
        """Return what is put beside the graph when a model is exported."""
        ...
