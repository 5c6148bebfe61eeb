"""How price models are made: the trainer of the kind `price`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.report import Report
from make_us_rich.features.inputs import what_is_read
from make_us_rich.forecasting.price.artifact import PriceArtifact
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.onnx import OnnxForecaster
from make_us_rich.registry.artifact import MODEL_FILE, ArtifactDraft
from make_us_rich.training.fits import Fit, Fitted, Judged, Occasion, OnProgress, Verdict
from make_us_rich.training.price.drafting import draft_price_model
from make_us_rich.training.price.experiment import PriceExperiment, build_experiment, preset_experiment
from make_us_rich.training.price.price_models import PRICE_MODELS
from make_us_rich.training.price.reproduction import reproduce
from make_us_rich.training.price.rivals import compare, served_widths
from make_us_rich.training.price.trial import Trial, run_trial
from make_us_rich.training.price.trial_report import report_trial
from make_us_rich.training.reproduced import Reproduction
from make_us_rich.training.trained import Evidence
from make_us_rich.training.trainer import TrainerDefaults


@dataclass(frozen=True, slots=True, eq=False)
class PriceContent:
    """What is kept of a price training: the artifact, and the evidence of the experiment's own model."""

    draft: ArtifactDraft
    evidence: tuple[HorizonEvidence, ...]


class PriceTrainer(TrainerDefaults[PriceExperiment, PriceContent]):
    """Recipes walked forward, judged per horizon, refitted on all candles and exported."""

    kind = "price"
    is_backtested = True

    def parse(self, content: Mapping[str, Any], origin: str) -> PriceExperiment:
        """Return the experiment of a mapping."""
        return build_experiment(content, origin)

    def names(self, experiment: PriceExperiment) -> tuple[str, ...]:
        """Return the one name."""
        return (experiment.name,)

    @property
    def presets(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the price models, ours and those of packages."""
        return tuple(PRICE_MODELS)

    def preset(self, preset: str, symbol: str, changes: Mapping[str, Any]) -> PriceExperiment:
        """Return the preset of a model, or its defaults; the name of the kind is its usual one."""
        return preset_experiment(self.presets[0] if preset == self.kind else preset, symbol, **changes)

    def market_symbols(self, experiment: PriceExperiment) -> tuple[str, ...]:
        """Return those that make up the market, where an input reads it."""
        return experiment.market

    def market_reads(self, experiment: PriceExperiment) -> tuple[str, ...]:
        """Return what the inputs need besides candles."""
        return what_is_read(experiment.inputs)

    def fit(
        self,
        experiment: PriceExperiment,
        name: str,
        occasion: Occasion,
        on_progress: OnProgress | None,
    ) -> Fit[PriceContent]:
        """Run the trial, refit and draft; a recipe that may serve is compared with the champion's."""
        trial, draft = draft_price_model(experiment, occasion, on_progress)
        verdict, rival = verdict_of(trial), occasion.rivals.get(name)
        manifest = cast(PriceManifest, draft.manifest)
        forecaster = OnnxForecaster(draft.payloads[MODEL_FILE])
        is_rivalled = rival is not None and verdict.passed
        return Fit(
            PriceContent(draft, trial.subject_evidence),
            verdict,
            widths=served_widths(forecaster, manifest, occasion.snapshot),
            comparison=compare(trial, occasion.snapshot, cast(PriceManifest, rival)) if is_rivalled else None,
        )

    def draft(self, judged: Judged[PriceExperiment, PriceContent]) -> ArtifactDraft:
        """Return the artifact, which is whole already."""
        return judged.fitted.fit.content.draft

    def widths(self, artifact: PriceArtifact, snapshot: Snapshot) -> FloatArray:
        """Return the widths at the first horizon, whoever serves it."""
        return served_widths(artifact.model.forecaster, artifact.manifest, snapshot)

    def evidence(self, fitted: Fitted[PriceExperiment, PriceContent]) -> tuple[Evidence, ...]:
        """Return the evidence of the experiment's own model per horizon, naming who serves there."""
        return fitted.fit.content.evidence

    def backtest(
        self, experiment: PriceExperiment, snapshot: Snapshot, on_progress: OnProgress | None
    ) -> Report:
        """Walk forward and report."""
        return report_trial(run_trial(experiment, snapshot, on_progress), snapshot)

    def reproduce(
        self, artifact: PriceArtifact, snapshot: Snapshot, on_progress: OnProgress | None
    ) -> Reproduction:
        """Train again and compare who serves, and the golden outputs."""
        return reproduce(artifact, snapshot, on_progress)


def verdict_of(trial: Trial) -> Verdict:
    """Return whether a price model may serve: its first horizon decides."""
    first = trial.verdicts[0]
    reasons = tuple(text for verdict in trial.verdicts for text in verdict.reasons)
    if first.passed:
        return Verdict(first.served_by, reasons)
    refusal = f"{first.served_by} serves the first horizon, so nothing is promoted"
    return Verdict(first.served_by, reasons, refusal)
