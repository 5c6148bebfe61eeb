"""What is known about a model: pointer, making, scores and history, read off the shelf."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from make_us_rich.errors import UnknownNameError
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kinds import kind_of
from make_us_rich.registry.artifact import MANIFEST_FILE, AnyArtifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.schemas import ModelSummary

EXPLANATION_FILE = "explain.json"

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the same for all, so that the same artifact gives the same bytes


def model_summary(board: Board, name: str) -> ModelSummary:
    """Return one line on a name; `UnknownNameError` if nothing was ever shelved under it."""
    shelf = board.view.shelf
    versions = shelf.versions(str(ModelName.parse(name)))
    if not versions:
        raise unknown_model(board, name)
    artifact = board.champions.artifact(name)
    pointer = shelf.champion(name)
    manifest = artifact.manifest if artifact else None
    return ModelSummary(
        name=name,
        kind=ModelName.parse(name).kind,
        version=manifest.version if manifest else None,
        model=manifest.model if manifest else None,
        trained_at=manifest.trained_at if manifest else None,
        data_end=manifest.data_end if manifest else None,
        champion_version=pointer.version if pointer else None,
        previous_version=pointer.previous if pointer else None,
        promoted_at=pointer.at if pointer else None,
        reason=pointer.reason if pointer else None,
        versions=tuple(versions),
        problem=board.champions.refusal(name),
    )


def model_card(board: Board, name: str) -> dict[str, Any]:
    """Return everything there is to say about a name, in JSON types.

    The version in service is described. Where there is none, and the kind shows its newest version beside
    what is served, that one is, because what it lacks is what there is to know.
    """
    view, kind = board.view, kind_of(ModelName.parse(name))
    summary = model_summary(board, name)
    version = summary.version or (summary.versions[-1] if kind.follows_newest else None)
    manifest = view.shelf.manifest(name, version) if version else None
    return {
        **summary.model_dump(),
        "market": view.market,
        "notice": view.notice,
        **kind.card(manifest),
        "explanation": read_explanation(view.shelf.folder(name, version)) if version else None,
        "decisions": [one.model_dump() for one in view.shelf.decisions(name)],
    }


def unknown_model(board: Board, name: str) -> UnknownNameError:
    """Build the error for a name nothing was ever shelved under, with the names that everybody may see."""
    there = [one for one in board.view.shelf.names() if board.is_seen_by(ModelName.parse(one), None)]
    return UnknownNameError(f"model {name} is not on the shelf; there are: {', '.join(there) or 'none'}")


def bundle(artifact: AnyArtifact) -> bytes:
    """Return the files of an artifact as one ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted([MANIFEST_FILE, *artifact.manifest.files]):
            entry = zipfile.ZipInfo(file, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (artifact.folder / file).read_bytes())
    return buffer.getvalue()


def read_explanation(folder: Path) -> JsonValue:
    """Return what a version recorded about what it looks at; None where it recorded nothing."""
    path = folder / EXPLANATION_FILE
    if not path.is_file():
        return None
    # Python writes NaN where JSON has no word for it.
    explanation: JsonValue = json.loads(path.read_bytes(), parse_constant=lambda _: None)
    return explanation
