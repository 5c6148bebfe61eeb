"""What a kind's trainer promises: all that differs between kinds when models are made.

Preparing candles, fitting in processes, deciding, shelving and telling trackers are the same for all; they
ask a trainer what they cannot know. A trainer of one's own begins at `TrainerDefaults`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import ExperimentError
from make_us_rich.evaluation.report import Report
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.registry.artifact import AnyArtifact, ArtifactDraft
from make_us_rich.registry.candidate_run import ExportedCandidates
from make_us_rich.registry.manifest import Manifest
from make_us_rich.training.experiment_file import preset_content
from make_us_rich.training.fits import (
    CandleSpan,
    ContentT,
    ExperimentT,
    Fit,
    Fitted,
    Judged,
    Judgement,
    Occasion,
    OnProgress,
)
from make_us_rich.training.reproduced import Reproduction, compare_files
from make_us_rich.training.trained import Choice, Evidence


class Trainer(Protocol[ExperimentT, ContentT]):
    """How the models of a kind, or of several that are one experiment, are made."""

    @property
    def kind(self) -> str:
        """What an experiment file says for it: `kind: price`."""
        ...

    @property
    def presets(self) -> tuple[str, ...]:
        """The names of its ready-made experiments, the usual one first."""
        ...

    @property
    def usual_timeframe(self) -> str:
        """The length of candle its presets ask for."""
        ...

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions an experiment can be limited to; none for most kinds."""
        ...

    @property
    def is_pooled(self) -> bool:
        """Whether what is trained together is also judged together."""
        ...

    @property
    def is_backtested(self) -> bool:
        """Whether a backtest can be had without a training."""
        ...

    def parse(self, content: Mapping[str, Any], origin: str) -> ExperimentT:
        """Return the experiment of a mapping; `ExperimentError` names `origin` and the key at fault."""
        ...

    def preset(self, preset: str, symbol: str, changes: Mapping[str, Any]) -> ExperimentT:
        """Return a preset for a pair; `changes` replace top-level keys, where they are not None."""
        ...

    def names(self, experiment: ExperimentT) -> tuple[str, ...]:
        """Return the names an experiment makes models of."""
        ...

    def market_symbols(self, experiment: ExperimentT) -> tuple[str, ...]:
        """Return the other pairs whose candles are read."""
        ...

    def market_reads(self, experiment: ExperimentT) -> tuple[str, ...]:
        """Return what is read of them: `market_variance`, `market_candles`."""
        ...

    def fit(
        self, experiment: ExperimentT, name: str, occasion: Occasion, on_progress: OnProgress | None
    ) -> Fit[ContentT]:
        """Walk forward and fit one name; nothing is written."""
        ...

    def judge(self, fitted: Sequence[Fitted[ExperimentT, ContentT]]) -> Judgement:
        """Judge all that was trained together."""
        ...

    def draft(self, judged: Judged[ExperimentT, ContentT]) -> ArtifactDraft:
        """Return the artifact; the reasons of the verdict begin with why it was promoted or kept back."""
        ...

    def widths(self, artifact: AnyArtifact, snapshot: Snapshot) -> FloatArray | None:
        """Return what `Fit.widths` are for a shelved model, at the same cutoffs; None where it has none."""
        ...

    def evidence(self, fitted: Fitted[ExperimentT, ContentT]) -> tuple[Evidence, ...]:
        """Return what the decision rests on, as it is told."""
        ...

    def words(self, fitted: Fitted[ExperimentT, ContentT]) -> str:
        """Return what is said of a fit as soon as it is there."""
        ...

    def choice(self, judged: Judged[ExperimentT, ContentT]) -> Choice | None:
        """Return which candidate was chosen, where there were any."""
        ...

    def candidates(self, fitted: Fitted[ExperimentT, ContentT]) -> ExportedCandidates | None:
        """Return the exported candidates for trackers, where there were any."""
        ...

    def backtest(self, experiment: ExperimentT, snapshot: Snapshot, on_progress: OnProgress | None) -> Report:
        """Walk forward and report; nothing is fitted on all data or exported."""
        ...

    def reproduce(
        self, artifact: AnyArtifact, snapshot: Snapshot, on_progress: OnProgress | None
    ) -> Reproduction:
        """Make a shelved model again from its own experiment, candles and seed, and compare."""
        ...


AnyTrainer = Trainer[Any, Any]


class TrainerDefaults(Generic[ExperimentT, ContentT]):
    """A trainer of one model per pair, judged alone; `kind`, `parse`, `fit` and `draft` are left to say."""

    kind: str
    presets: tuple[str, ...] = ()
    usual_timeframe = "1h"
    directions: tuple[str, ...] = ()
    is_pooled = False
    is_backtested = False

    def parse(self, content: Mapping[str, Any], origin: str) -> ExperimentT:
        """Return the experiment of a mapping."""
        raise NotImplementedError

    def fit(
        self, experiment: ExperimentT, name: str, occasion: Occasion, on_progress: OnProgress | None
    ) -> Fit[ContentT]:
        """Walk forward and fit one name."""
        raise NotImplementedError

    def draft(self, judged: Judged[ExperimentT, ContentT]) -> ArtifactDraft:
        """Return the artifact."""
        raise NotImplementedError

    def preset(self, preset: str, symbol: str, changes: Mapping[str, Any]) -> ExperimentT:
        """Return the preset of a file of ours, or for other kinds the experiment as its record begins."""
        given = {key: value for key, value in changes.items() if value is not None}
        content = preset_content(preset) if preset in self.presets else {}
        return self.parse({**content, "symbol": symbol, **given}, f"preset {preset}")

    def names(self, experiment: ExperimentT) -> tuple[str, ...]:
        """Return the one name: `kind.BTC-USDT.1h`."""
        return (f"{self.kind}.{experiment.symbol.replace('/', '-')}.{experiment.timeframe}",)

    def market_symbols(self, experiment: ExperimentT) -> tuple[str, ...]:  # noqa: ARG002
        """Return no other pair."""
        return ()

    def market_reads(self, experiment: ExperimentT) -> tuple[str, ...]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def judge(self, fitted: Sequence[Fitted[ExperimentT, ContentT]]) -> Judgement:
        """Return the verdict each fit came with."""
        return Judgement({one.name: one.fit.verdict for one in fitted})

    def widths(self, artifact: AnyArtifact, snapshot: Snapshot) -> FloatArray | None:  # noqa: ARG002
        """Return nothing: a refresh then rests on its own verdict."""
        return None

    def evidence(self, fitted: Fitted[ExperimentT, ContentT]) -> tuple[Evidence, ...]:  # noqa: ARG002
        """Return nothing beyond the reasons."""
        return ()

    def words(self, fitted: Fitted[ExperimentT, ContentT]) -> str:
        """Return its name."""
        return fitted.name

    def choice(self, judged: Judged[ExperimentT, ContentT]) -> Choice | None:  # noqa: ARG002
        """Return no choice."""
        return None

    def candidates(self, fitted: Fitted[ExperimentT, ContentT]) -> ExportedCandidates | None:  # noqa: ARG002
        """Return no candidates."""
        return None

    def backtest(
        self,
        experiment: ExperimentT,  # noqa: ARG002
        snapshot: Snapshot,  # noqa: ARG002
        on_progress: OnProgress | None,  # noqa: ARG002
    ) -> Report:
        """Refuse: it is walked forward where it is trained."""
        raise ExperimentError(f"{self.kind} is walked forward where it is trained; run `mur train`")

    def reproduce(
        self, artifact: AnyArtifact, snapshot: Snapshot, on_progress: OnProgress | None
    ) -> Reproduction:
        """Fit and draft again, and compare the files of the artifact."""
        manifest: Manifest = artifact.manifest
        experiment = self.parse(manifest.experiment, f"{manifest.name}@{manifest.version}")
        fit = self.fit(experiment, manifest.name, Occasion(snapshot, manifest.trained_at), on_progress)
        span = CandleSpan.of(snapshot)
        fitted = Fitted(manifest.name, experiment, span, manifest.trained_at, fit, seconds=0.0)
        return compare_files(artifact, self.draft(Judged(fitted, fit.verdict)))
