"""The trainer of every kind, found by what a preset, an experiment file or a shelved model is called."""

from collections.abc import Iterator
from functools import cache
from typing import cast

import structlog

from make_us_rich.errors import ExperimentError
from make_us_rich.forecasting.kinds import kind_of, known_kinds
from make_us_rich.registries import load_object
from make_us_rich.registry.model_name import ModelName
from make_us_rich.training.trainer import AnyTrainer

DEFAULT_KIND = "price"
"""What an experiment file is about that does not say."""

_log = structlog.get_logger(__name__)


@cache
def resolve_trainer(text: str) -> AnyTrainer:
    """Return the trainer that stands at `module:object`, made if it is a class."""
    try:
        found = load_object(text)
        return cast(AnyTrainer, found() if isinstance(found, type) else found)
    except Exception as error:  # whatever a package of somebody else runs into
        if isinstance(error, ModuleNotFoundError) and text.startswith("make_us_rich."):
            raise  # ours lack the extra `train` then, which the command says
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ExperimentError(
            f"trainer {text} cannot be loaded ({reason}); update or remove the package of the kind that "
            "names it"
        ) from error


def trainer_texts() -> list[str]:
    """Return where the trainers are, each once, in the order of the kinds."""
    return list(dict.fromkeys(kind.trainer for kind in known_kinds().values() if kind.trainer is not None))


def trainer_text_of(name: ModelName) -> str:
    """Return where the trainer of a name is."""
    text = kind_of(name).trainer
    if text is None:
        raise ExperimentError(f"{name} is not trained: it is computed from other forecasts")
    return text


def find_by_preset(preset: str) -> str:
    """Return where the trainer of a preset is; the name of a kind is a preset of its own."""
    kind = known_kinds().get(preset)
    if kind is not None and kind.trainer is not None:
        return kind.trainer
    found = next((text for text, trainer in _usable_trainers() if preset in trainer.presets), None)
    if found is None:
        known = ", ".join(_known_presets())
        raise ExperimentError(f"preset {preset!r} is not known; choose one of {known}")
    return found


def find_by_file_kind(kind: str, origin: str) -> str:
    """Return where the trainer is that reads experiment files of a kind."""
    found = next((text for text, trainer in _usable_trainers() if trainer.kind == kind), None)
    if found is None:
        known = ", ".join(trainer.kind for _, trainer in _usable_trainers())
        raise ExperimentError(f"{origin}: kind {kind!r} is not known; choose one of {known}")
    return found


def _known_presets() -> Iterator[str]:
    for _, trainer in _usable_trainers():
        yield from trainer.presets or (trainer.kind,)


def _usable_trainers() -> Iterator[tuple[str, AnyTrainer]]:
    # a broken one stops no other: who asks for it by its kind is told why
    for text in trainer_texts():
        try:
            trainer = resolve_trainer(text)
        except ExperimentError as error:
            _log.warning("trainer not loaded", trainer=text, reason=str(error))
            continue
        yield text, trainer
