"""A model as an immutable folder: ONNX graph, manifest and golden outputs; data only, no code is run from it.

An artifact is used only if all of it is there, unchanged, from this market, and computes on this
machine what it computed where it was made. What a kind of forecast puts into its manifest and how its model
is opened and tried is said by an `ArtifactType`, which the caller hands in.
"""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from make_us_rich.errors import ArtifactError
from make_us_rich.market.files import sync_folder, write_atomically
from make_us_rich.registry.manifest import MANIFEST_FORMAT, Manifest
from make_us_rich.settings import Market

MODEL_FILE = "model.onnx"
GOLDEN_FILE = "golden.npz"
MANIFEST_FILE = "manifest.json"
INCOMING_PREFIX = ".incoming-"

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

ManifestT = TypeVar("ManifestT", bound=Manifest)
ModelT = TypeVar("ModelT")


@dataclass(frozen=True, slots=True)
class ArtifactType(Generic[ManifestT, ModelT]):
    """How the artifacts of a kind are read.

    `open_model` gets the folder, whose files agree with the manifest, and returns the model ready to run; it
    raises `ArtifactError` where the golden outputs are not reproduced.
    """

    manifest: type[ManifestT]
    open_model: Callable[[Path, ManifestT], ModelT]


@dataclass(frozen=True, slots=True)
class ArtifactDraft:
    """An artifact before it stands on the shelf; `payloads` are its files, manifest aside."""

    manifest: Manifest
    payloads: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if missing := {MODEL_FILE, GOLDEN_FILE} - set(self.payloads):
            raise ValueError(f"{self.manifest.name}: the draft lacks {', '.join(sorted(missing))}")
        for name in self.payloads:
            if not _FILE_NAME.fullmatch(name) or name == MANIFEST_FILE:
                raise ValueError(f"{self.manifest.name}: {name!r} cannot be a file of an artifact")


@dataclass(frozen=True, slots=True, eq=False)
class Artifact(Generic[ManifestT, ModelT]):
    """A verified model, ready to run."""

    manifest: ManifestT
    model: ModelT
    folder: Path


AnyArtifact = Artifact[Any, Any]
AnyArtifactType = ArtifactType[Any, Any]


def write_artifact(folder: Path, draft: ArtifactDraft, version: int) -> Manifest:
    """Write a new artifact folder; until its last byte is on the disk it has another, hidden name."""
    files = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(draft.payloads.items())}
    manifest = draft.manifest.shelved(version, files)
    incoming = folder.with_name(f"{INCOMING_PREFIX}{folder.name}-{secrets.token_hex(4)}")
    incoming.mkdir(parents=True)
    try:
        for name, content in draft.payloads.items():
            write_atomically(incoming / name, content)
        write_atomically(incoming / MANIFEST_FILE, manifest.model_dump_json(indent=2).encode())
        incoming.rename(folder)
    except BaseException:
        shutil.rmtree(incoming, ignore_errors=True)
        raise
    sync_folder(folder.parent)
    return manifest


def load_artifact(
    folder: Path, market: Market, kind: ArtifactType[ManifestT, ModelT]
) -> Artifact[ManifestT, ModelT]:
    """Return the model in `folder`, verified to the last byte; `ArtifactError` names the first finding."""
    manifest = read_manifest(folder, kind.manifest)
    if manifest.market != market:
        raise ArtifactError(
            f"{folder}: made for the {manifest.market} market, this is {market}; train the model on this one"
        )
    try:
        _check_files(folder, manifest)
    except OSError as error:
        raise ArtifactError(
            f"{folder}: cannot be read ({error.strerror}); restore it or roll back"
        ) from error
    return Artifact(manifest, kind.open_model(folder, manifest), folder)


def read_manifest(folder: Path, kind: type[ManifestT]) -> ManifestT:
    """Return what an artifact says about itself, without verifying its other files."""
    try:
        content = json.loads((folder / MANIFEST_FILE).read_bytes())
    except OSError as error:
        raise ArtifactError(
            f"{folder}: no readable {MANIFEST_FILE} ({error.strerror}); it is not a whole artifact"
        ) from error
    except ValueError as error:
        raise ArtifactError(
            f"{folder}: {MANIFEST_FILE} is not JSON; restore the artifact or roll back"
        ) from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != MANIFEST_FORMAT:
        raise ArtifactError(
            f"{folder}: manifest format {found!r}, this version reads {MANIFEST_FORMAT}; "
            "update make-us-rich or train again"
        )
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise ArtifactError(
            f"{folder}: {MANIFEST_FILE} is not valid ({place}: {first['msg']}); restore or train again"
        ) from error


def _check_files(folder: Path, manifest: Manifest) -> None:
    present = {path.name for path in folder.iterdir()} - {MANIFEST_FILE}
    listed = set(manifest.files)
    if missing := ({MODEL_FILE, GOLDEN_FILE} | listed) - present:
        raise ArtifactError(
            f"{folder}: {', '.join(sorted(missing))} missing; restore the artifact or roll back"
        )
    if unlisted := present - listed:
        raise ArtifactError(f"{folder}: {', '.join(sorted(unlisted))} not listed in the manifest; remove it")
    for name, expected in manifest.files.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
            raise ArtifactError(
                f"{folder}: {name} is not the file that was shelved (SHA-256 differs); restore or roll back"
            )
