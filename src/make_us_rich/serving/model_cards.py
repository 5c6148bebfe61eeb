"""What is known about a model: pointer, making, scores and history, read off the shelf."""

import io
import json
import zipfile
from pathlib import Path

from pydantic import JsonValue

from make_us_rich.errors import UnknownNameError
from make_us_rich.registry.artifact import MANIFEST_FILE, Artifact, TrendArtifact
from make_us_rich.registry.manifest import EvidenceRecord, Manifest
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.champions import AllChampions
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.serving.schemas import (
    DecisionAnswer,
    EvidenceDetail,
    ModelCard,
    ModelMaking,
    ModelSummary,
    SnapshotAnswer,
)

EXPLANATION_FILE = "explain.json"

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the same for all, so that the same artifact gives the same bytes


def model_summary(view: DeskView, champions: AllChampions, name: str) -> ModelSummary:
    """Return one line on a name; `UnknownNameError` if nothing was ever shelved under it."""
    versions = view.shelf.versions(str(ModelName.parse(name)))
    if not versions:
        there = ", ".join(view.shelf.names()) or "none"
        raise UnknownNameError(f"model {name} is not on the shelf; there are: {there}")
    artifact = champions.artifact(name)
    pointer = view.shelf.champion(name)
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
        problem=champions.refusal(name),
    )


def model_card(view: DeskView, champions: AllChampions, name: str) -> ModelCard:
    """Return everything there is to say about the name of a price model."""
    summary = model_summary(view, champions, name)
    artifact = champions.artifact(name)
    manifest = artifact.manifest if isinstance(artifact, Artifact) else None
    evidence = manifest.evidence if manifest else {}
    return ModelCard(
        **dict(summary),
        market=view.market,
        notice=view.notice,
        served_by=manifest.served_by if manifest else {},
        evidence={by: tuple(_evidence(one) for one in records) for by, records in evidence.items()},
        making=_making(manifest) if manifest else None,
        explanation=read_explanation(artifact.folder) if artifact else None,
        decisions=tuple(DecisionAnswer(**dict(one)) for one in view.shelf.decisions(name)),
    )


def bundle(artifact: Artifact | TrendArtifact) -> bytes:
    """Return the files of an artifact as one ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted([MANIFEST_FILE, *artifact.manifest.files]):
            entry = zipfile.ZipInfo(file, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (artifact.folder / file).read_bytes())
    return buffer.getvalue()


def _evidence(record: EvidenceRecord) -> EvidenceDetail:
    return EvidenceDetail(**dict(record))


def _making(manifest: Manifest) -> ModelMaking:
    shared = ModelMaking.model_fields.keys() - {"snapshot"}
    return ModelMaking(
        **{field: value for field, value in dict(manifest).items() if field in shared},
        snapshot=SnapshotAnswer(**dict(manifest.snapshot)),
    )


def read_explanation(folder: Path) -> JsonValue:
    """Return what a version recorded about what it looks at; None where it recorded nothing."""
    path = folder / EXPLANATION_FILE
    if not path.is_file():
        return None
    # Python writes NaN where JSON has no word for it.
    explanation: JsonValue = json.loads(path.read_bytes(), parse_constant=lambda _: None)
    return explanation
