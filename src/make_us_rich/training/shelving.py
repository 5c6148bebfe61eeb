"""From a judged fit to a version on the shelf, with its decision."""

from dataclasses import replace

from make_us_rich.market.snapshot import Snapshot
from make_us_rich.registry.shelf import Decision, Shelf
from make_us_rich.training.fits import AnyJudged
from make_us_rich.training.succession import decide
from make_us_rich.training.trained import TrainedModel
from make_us_rich.training.trainer import AnyTrainer


def shelve(trainer: AnyTrainer, judged: AnyJudged, snapshot: Snapshot, shelf: Shelf) -> TrainedModel:
    """Shelve what was made either way, and serve it from now on if its verdict and the champion allow.

    The champion changes only once the artifact stands whole.
    """
    fitted = judged.fitted
    ruling = decide(trainer, judged, snapshot, shelf)
    final = replace(judged, verdict=judged.verdict.because(ruling.reason))
    version = shelf.shelve(trainer.draft(final))
    if ruling.promoted:
        shelf.promote(fitted.name, version, ruling.reason, fitted.now)
    reasons = final.verdict.reasons
    decision = Decision(
        at=fitted.now, version=version, kind=ruling.kind, promoted=ruling.promoted, reasons=reasons
    )
    shelf.record_decision(fitted.name, decision)
    return TrainedModel(
        name=fitted.name,
        version=version,
        promoted=ruling.promoted,
        reasons=reasons,
        seconds=fitted.seconds,
        evidence=trainer.evidence(fitted),
        choice=trainer.choice(final),
    )
