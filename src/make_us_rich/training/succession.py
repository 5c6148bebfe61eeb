"""A new version against the champion: rule (d), for every kind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from make_us_rich.errors import ArtifactError, ExperimentError, MakeUsRichError, UnknownNameError
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.registry.artifact import AnyArtifact
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.promotion import (
    SuccessionVerdict,
    challenged_this_week,
    judge_challenge,
    judge_refresh,
)
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.fits import AnyFitted, AnyJudged, Experiment
from make_us_rich.training.trainer import AnyTrainer

DecisionKind = Literal["first", "refresh", "challenge"]


@dataclass(frozen=True, slots=True)
class Succession:
    """What is decided on a new version, and why in one sentence."""

    kind: DecisionKind
    promoted: bool
    reason: str


def find_rival(
    trainer: AnyTrainer, experiment: Experiment, name: str, shelf: Shelf, now: datetime
) -> Manifest | None:
    """Return the champion if another recipe made it and a challenge may be judged now.

    Its recipe is then fitted in the same folds as the experiment. What stands in the way of reading it is
    said when it is decided.
    """
    try:
        pointer = shelf.champion(name)
        if pointer is None or challenged_this_week(shelf.decisions(name), now):
            return None
        manifest = shelf.manifest(name, pointer.version)
    except MakeUsRichError:
        return None
    return None if is_same_recipe(trainer, manifest, experiment) else manifest


def is_same_recipe(trainer: AnyTrainer, champion: Manifest, experiment: Experiment) -> bool:
    """Say whether an experiment is that of the champion, with other dates at most."""
    try:
        theirs: Experiment = trainer.parse(champion.experiment, f"{champion.name}@{champion.version}")
    except ExperimentError:
        return False
    return theirs.recipe() == experiment.recipe()


def decide(trainer: AnyTrainer, judged: AnyJudged, snapshot: Snapshot, shelf: Shelf) -> Succession:
    """Return what the rule says of a judged fit; nothing is written here."""
    fitted, verdict = judged.fitted, judged.verdict
    pointer = shelf.champion(fitted.name)
    if pointer is None:
        return _settled("first", verdict.refusal, "no champion stands before it")
    try:
        champion = shelf.load(fitted.name, pointer.version)
    except (ArtifactError, UnknownNameError) as error:
        reason = f"the champion, version {pointer.version}, cannot be used ({error})"
        return _settled("first", verdict.refusal, reason)
    is_refresh = is_same_recipe(trainer, champion.manifest, fitted.experiment)
    if verdict.refusal is not None:
        return _settled("refresh" if is_refresh else "challenge", verdict.refusal, "")
    if is_refresh:
        return _refresh(trainer, fitted, champion, snapshot)
    return _challenge(fitted, champion.manifest.version, shelf)


def _refresh(trainer: AnyTrainer, fitted: AnyFitted, champion: AnyArtifact, snapshot: Snapshot) -> Succession:
    manifest: Manifest = champion.manifest
    if manifest.snapshot.hash == fitted.span.reference.hash:
        return _kept_back("refresh", f"version {manifest.version} is this experiment on these candles")
    theirs = trainer.widths(champion, snapshot)
    return _ruled("refresh", judge_refresh(theirs, fitted.fit.widths, verdict_passed=True))


def _challenge(fitted: AnyFitted, champion: int, shelf: Shelf) -> Succession:
    if earlier := challenged_this_week(shelf.decisions(fitted.name), fitted.now):
        day = f"{earlier.at:%Y-%m-%d %H:%M}"
        return _kept_back("challenge", f"a challenge was decided on {day}; at most one a week is judged")
    comparison = fitted.fit.comparison
    if comparison is None or comparison.champion != champion:
        return _kept_back(
            "challenge", f"version {champion} was not yet the champion when the training began; train again"
        )
    if comparison.own is None or comparison.theirs is None:
        return _kept_back("challenge", comparison.refusal or "there is nothing to compare")
    return _ruled("challenge", judge_challenge(comparison.own, comparison.theirs))


def _settled(kind: DecisionKind, refusal: str | None, reason: str) -> Succession:
    return Succession(kind, True, f"promoted: {reason}") if refusal is None else _kept_back(kind, refusal)


def _kept_back(kind: DecisionKind, reason: str) -> Succession:
    return Succession(kind, False, f"kept back: {reason}")


def _ruled(kind: DecisionKind, verdict: SuccessionVerdict) -> Succession:
    word = "promoted" if verdict.accepted else "kept back"
    return Succession(kind, verdict.accepted, f"{word}: {verdict.reason}")
