"""Train one price model: trial, refit, shelve, decide."""

import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.walk_forward import OnProgress
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.experiment import Experiment
from make_us_rich.training.shelving import Occasion, build_artifact, fit_final
from make_us_rich.training.succession import decide
from make_us_rich.training.trial import Trial, run_trial


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What one training came to; `reasons` say in words why it was promoted or kept."""

    name: str
    version: int
    promoted: bool
    reasons: tuple[str, ...]
    seconds: float
    evidence: tuple[HorizonEvidence, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the answer of `mur train --json`."""
        return asdict(self)


def train_price_model(
    experiment: Experiment,
    snapshot: Snapshot,
    shelf: Shelf,
    now: datetime,
    on_progress: OnProgress | None = None,
) -> TrainingResult:
    """Run the experiment, shelve what came of it, and promote it if the rule says so.

    The version is shelved either way; the champion changes only once the artifact stands whole.
    `on_progress` gets a line of text and the share done of what the line names.
    """
    began = time.monotonic()
    trial, draft = draft_price_model(experiment, Occasion(snapshot, now), on_progress)
    version = shelf.shelve(draft)
    decision = decide(trial, snapshot, shelf, version, now)
    if decision.promoted:
        shelf.promote(experiment.name, version, decision.reasons[0], now)
    shelf.record_decision(experiment.name, decision)
    return TrainingResult(
        name=experiment.name,
        version=version,
        promoted=decision.promoted,
        reasons=decision.reasons,
        seconds=time.monotonic() - began,
        evidence=trial.subject_evidence,
    )


def draft_price_model(
    experiment: Experiment, occasion: Occasion, on_progress: OnProgress | None = None
) -> tuple[Trial, ArtifactDraft]:
    """Run the trial, refit on all candles and draft the artifact; nothing is written."""
    trial = run_trial(experiment, occasion.snapshot, on_progress)
    return trial, build_artifact(trial, fit_final(trial, on_progress), occasion)
