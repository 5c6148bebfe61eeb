"""What came of making a shelved model again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from make_us_rich.errors import StoreError
from make_us_rich.market.snapshot import Snapshot, load_snapshot
from make_us_rich.registry.artifact import MODEL_FILE, AnyArtifact, ArtifactDraft
from make_us_rich.registry.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Whether a model that was made again says what the shelved one says.

    It is reproduced if `differences` is empty: the same forecasters serve, and the golden outputs agree;
    the bytes of the file may differ nevertheless. `libraries` are those with another version now, each as
    (then, now).
    """

    is_same_file: bool
    largest_difference: float | None
    differences: tuple[str, ...]
    libraries: Mapping[str, tuple[str, str]]

    @property
    def is_reproduced(self) -> bool:
        """Whether the model says the same."""
        return not self.differences


def stored_snapshot(folder: Path, manifest: Manifest) -> Snapshot:
    """Return the candles a model was fitted on; `StoreError` if they are no longer stored."""
    content_hash = manifest.snapshot.hash
    if not (folder / f"{content_hash}.parquet").is_file():
        raise StoreError(
            f"{manifest.name}@{manifest.version}: its candles, snapshot {content_hash[:12]}…, are not in "
            f"{folder}; restore that file, or train again"
        )
    return load_snapshot(folder, content_hash)


def compare_files(artifact: AnyArtifact, draft: ArtifactDraft) -> Reproduction:
    """Compare the graph of a model that was made again with the shelved one, byte by byte."""
    then, now = artifact.manifest, draft.manifest
    is_same = sha256(draft.payloads[MODEL_FILE]) == then.files[MODEL_FILE]
    return Reproduction(
        is_same_file=is_same,
        largest_difference=None,
        differences=() if is_same else (f"{MODEL_FILE} is another file now",),
        libraries=changed_libraries(then, now.code_version, now.library_versions),
    )


def changed_libraries(
    then: Manifest, code_version: str, now: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Return the libraries whose version is another now, each as (then, now)."""
    before = {"make-us-rich": then.code_version, **then.library_versions}
    after = {"make-us-rich": code_version, **now}
    return {
        name: (before.get(name, "none"), after.get(name, "none"))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def sha256(content: bytes) -> str:
    """Return the digest of a file as manifests hold it."""
    return hashlib.sha256(content).hexdigest()
