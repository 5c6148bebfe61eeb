"""The shelf: every version of every model, and the pointer that says which one is served.

    <root>/<name>/<version>/…          artifacts, immutable
    <root>/<name>/champion.json        the pointer, replaced in one step under a lock
    <root>/<name>/decisions.jsonl      every decision for or against a version, only ever appended to

Nothing else decides what is served, and a change to it has either happened or not, never half.
"""

import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError

from make_us_rich.errors import ArtifactError, StoreError, UnknownNameError, UsageError
from make_us_rich.market.files import disk_errors_named, remove_unfinished, write_atomically
from make_us_rich.registry.artifact import (
    INCOMING_PREFIX,
    AnyArtifact,
    AnyArtifactType,
    ArtifactDraft,
    load_artifact,
    read_manifest,
    write_artifact,
)
from make_us_rich.registry.manifest import Manifest, StoredRecord, UtcDatetime
from make_us_rich.registry.model_name import ModelName
from make_us_rich.settings import Market

CHAMPION_FILE = "champion.json"
DECISIONS_FILE = "decisions.jsonl"
LOCK_TIMEOUT_SECONDS = 30.0
OUTGOING_PREFIX = ".outgoing-"

Stored = TypeVar("Stored", bound=StoredRecord)


class Champion(StoredRecord):
    """The version that is served, the one it replaced, and why."""

    version: int
    previous: int | None
    reason: str
    at: UtcDatetime


class Decision(StoredRecord):
    """One answer to "shall this version be served?", kept whichever way it went."""

    at: UtcDatetime
    version: int
    kind: Literal["first", "refresh", "challenge", "manual", "rollback"]
    promoted: bool
    reasons: tuple[str, ...]


class Shelf:
    """The models of one market under `root`; safe for several processes at once.

    `types` says by kind how its artifacts are read; what is of another kind can be listed, not loaded.
    """

    def __init__(self, root: Path, market: Market, types: Mapping[str, AnyArtifactType]) -> None:
        self.root = root
        self.market = market
        self._types = types

    def names(self, kinds: Collection[str] | None = None) -> list[str]:
        """Return the names that hold at least one version, sorted; of some kinds, `price` say, or of all."""
        if not self.root.is_dir():
            return []
        with disk_errors_named(self.root):
            folders = sorted(path.name for path in self.root.iterdir() if path.is_dir())
        known = [name for name in folders if _is_model_name(name)]
        wanted = [name for name in known if kinds is None or ModelName.parse(name).kind in kinds]
        return [name for name in wanted if self.versions(name)]

    def versions(self, name: str) -> list[int]:
        """Return the versions of a name, oldest first."""
        folder = self._home(name)
        if not folder.is_dir():
            return []
        with disk_errors_named(folder):
            return sorted(
                int(path.name) for path in folder.iterdir() if path.name.isdecimal() and path.is_dir()
            )

    def folder(self, name: str, version: int) -> Path:
        """Return where a version stands; `UnknownNameError` says which versions there are."""
        folder = self._home(name) / str(version)
        if not folder.is_dir():
            there = ", ".join(str(known) for known in self.versions(name)) or "none"
            raise UnknownNameError(f"{name} has no version {version}; there are: {there}")
        return folder

    def shelve(self, draft: ArtifactDraft) -> int:
        """Put a new artifact on the shelf, not yet served, and return the version it was given."""
        manifest = draft.manifest
        if manifest.market != self.market:
            raise ArtifactError(
                f"{manifest.name}: made for the {manifest.market} market, this shelf is {self.market}"
            )
        home = self._home(manifest.name)
        with disk_errors_named(home), self._locked(home):
            _remove_strays(home)
            version = self._next_version(manifest.name)
            write_artifact(home / str(version), draft, version)
        return version

    def manifest(self, name: str, version: int) -> Manifest:
        """Return what a version says about itself, without verifying its other files."""
        manifest: Manifest = read_manifest(self.folder(name, version), self._type(name).manifest)
        return manifest

    def load(self, name: str, version: int) -> AnyArtifact:
        """Return a verified version, ready to run."""
        folder = self.folder(name, version)
        artifact: AnyArtifact = load_artifact(folder, self.market, self._type(name))
        found = artifact.manifest
        if (found.name, found.version) != (name, version):
            raise ArtifactError(
                f"{folder}: its manifest says {found.name}@{found.version}; it was moved, put it back"
            )
        return artifact

    def champion(self, name: str) -> Champion | None:
        """Return the pointer of a name; None while nothing was promoted."""
        path = self._home(name) / CHAMPION_FILE
        with disk_errors_named(path):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
        return _parse(Champion, content, path)

    def promote(self, name: str, version: int, reason: str, now: datetime) -> Champion:
        """Verify a version and serve it from now on; the caller records the decision."""
        self.load(name, version)
        home = self._home(name)
        with disk_errors_named(home), self._locked(home):
            self.folder(name, version)  # still there: it may have been cleaned away while it was verified
            current = self.champion(name)
            if current is not None and current.version == version:
                return current
            return self._point(
                home, Champion(version=version, previous=current and current.version, reason=reason, at=now)
            )

    def rollback(self, name: str, now: datetime) -> Champion:
        """Serve the previous champion again and record that decision; a second call undoes the first."""
        current = self.champion(name)
        if current is None or current.previous is None:
            raise UsageError(f"{name} has no previous champion to return to; promote a version by its number")
        champion = self.promote(name, current.previous, f"rolled back from version {current.version}", now)
        self.record_decision(
            name,
            Decision(
                at=now, version=champion.version, kind="rollback", promoted=True, reasons=(champion.reason,)
            ),
        )
        return champion

    def remove_versions(
        self, name: str, choose: Callable[[Sequence[int], "Champion | None"], Collection[int]]
    ) -> list[int]:
        """Remove the versions `choose` names, given all of them and the pointer; nobody else moves meanwhile.

        The champion and the previous one cannot be removed: naming one is a `ValueError`.
        """
        home = self._home(name)
        with disk_errors_named(home), self._locked(home):
            _remove_strays(home)
            champion = self.champion(name)
            chosen = sorted(choose(self.versions(name), champion))
            if champion is not None and {champion.version, champion.previous} & set(chosen):
                raise ValueError(f"{name}: versions {chosen} hold the champion or the one before it")
            for version in chosen:
                # renamed first, so that a version is there or not, never half
                outgoing = home / f"{OUTGOING_PREFIX}{version}-{secrets.token_hex(4)}"
                self.folder(name, version).rename(outgoing)
                shutil.rmtree(outgoing)
        return chosen

    def record_decision(self, name: str, decision: Decision) -> None:
        """Append a decision to the history of a name."""
        home = self._home(name)
        path = home / DECISIONS_FILE
        with disk_errors_named(path), self._locked(home):
            history = path.read_bytes() if path.exists() else b""
            # Few and short lines: writing the file anew can, unlike appending, never leave half a line.
            write_atomically(path, history + decision.model_dump_json().encode() + b"\n")

    def decisions(self, name: str) -> list[Decision]:
        """Return every decision on a name, oldest first."""
        path = self._home(name) / DECISIONS_FILE
        with disk_errors_named(path):
            lines = path.read_bytes().splitlines() if path.exists() else []
        return [_parse(Decision, line, path) for line in lines]

    def _type(self, name: str) -> AnyArtifactType:
        kind = ModelName.parse(name).kind
        if kind not in self._types:
            raise ArtifactError(
                f"{name}: the kind {kind} is not known here; install the package that brings it, or remove it"
            )
        return self._types[kind]

    def _home(self, name: str) -> Path:
        return self.root / str(ModelName.parse(name))

    def _next_version(self, name: str) -> int:
        # A number is never used twice, even when the folder that had it was cleaned away.
        champion = self.champion(name)
        pointed = [champion.version, champion.previous or 0] if champion else []
        decided = [decision.version for decision in self.decisions(name)]
        return max([0, *self.versions(name), *pointed, *decided]) + 1

    def _point(self, home: Path, champion: Champion) -> Champion:
        write_atomically(home / CHAMPION_FILE, champion.model_dump_json().encode())
        return champion

    @contextmanager
    def _locked(self, home: Path) -> Iterator[None]:
        home.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(home / ".lock", timeout=LOCK_TIMEOUT_SECONDS):
                yield
        except Timeout as error:
            raise StoreError(
                f"{home}: another process has held it for {LOCK_TIMEOUT_SECONDS:.0f} s; try again"
            ) from error


def _remove_strays(home: Path) -> None:
    # Writers that were killed left them: whoever holds the lock is the only one writing here.
    remove_unfinished(home)
    for prefix in (INCOMING_PREFIX, OUTGOING_PREFIX):
        for stray in home.glob(f"{prefix}*"):
            shutil.rmtree(stray)


def _is_model_name(text: str) -> bool:
    try:
        ModelName.parse(text)
    except UsageError:
        return False
    return True


def _parse(record: type[Stored], content: bytes, path: Path) -> Stored:
    try:
        return record.model_validate_json(content)
    except ValidationError as error:
        raise StoreError(
            f"{path}: not a readable {record.__name__.lower()}; restore it, or remove it"
        ) from error
