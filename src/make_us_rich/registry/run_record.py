"""One training as trackers are told about it: plain values, all of them read off the shelf."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from make_us_rich.registry.artifact import MANIFEST_FILE, read_manifest
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.shelf import Shelf

_DOCUMENTS = (MANIFEST_FILE, "report.html", "report.md", "report.json", "explain.json")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A shelved version: the name is the experiment, the version the run.

    Metrics are those of the experiment's own model, one set per horizon: `skill_persistence_h1`,
    `p_value_persistence_h1`, `coverage_90_h1` …; what is undefined is left out.
    """

    name: str
    version: int
    trained_at: datetime
    folder: Path
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    documents: tuple[Path, ...]


def read_run(shelf: Shelf, name: str, version: int) -> RunRecord:
    """Return what there is to tell about a version on the shelf."""
    folder = shelf.folder(name, version)
    manifest = read_manifest(folder)
    return RunRecord(
        name=name,
        version=version,
        trained_at=manifest.trained_at,
        folder=folder,
        parameters=dict(_parameters(manifest)),
        metrics=dict(_metrics(manifest)),
        tags=_tags(manifest) | _decision_tags(shelf, name, version),
        documents=tuple(folder / file for file in _DOCUMENTS if (folder / file).is_file()),
    )


def _parameters(manifest: Manifest) -> Iterator[tuple[str, str]]:
    yield from _flattened("", manifest.experiment)
    for horizon, forecaster in manifest.served_by.items():
        yield f"served_by_h{horizon}", forecaster
    yield "snapshot_hash", manifest.snapshot.hash
    yield "snapshot_rows", str(manifest.snapshot.rows)
    yield "data_end", manifest.data_end.isoformat()


def _flattened(prefix: str, content: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flattened(f"{prefix}{key}.", value)
        elif value is not None:
            yield f"{prefix}{key}", str(value)


def _metrics(manifest: Manifest) -> Iterator[tuple[str, float]]:
    for record in manifest.evidence.get(manifest.model, ()):
        measured = {f"skill_{yardstick}": value for yardstick, value in record.skill.items()}
        measured |= {f"p_value_{yardstick}": value for yardstick, value in record.p_value.items()}
        measured |= {"skill_sd": record.skill_sd, "coverage_90": record.coverage_90}
        measured |= {"coverage_se": record.coverage_se, "blocks": record.blocks, "n": record.n}
        for key, value in measured.items():
            if value is not None:
                yield f"{key}_h{record.horizon}", float(value)


def _tags(manifest: Manifest) -> dict[str, str]:
    versions = {f"library.{library}": version for library, version in manifest.library_versions.items()}
    return versions | {
        "shelf_version": str(manifest.version),
        "symbol": manifest.symbol,
        "timeframe": manifest.timeframe,
        "market": manifest.market,
        "source": manifest.source,
        "model": manifest.model,
        "code_version": manifest.code_version,
        "seed": str(manifest.seed),
    }


def _decision_tags(shelf: Shelf, name: str, version: int) -> dict[str, str]:
    for decision in shelf.decisions(name):
        if decision.version == version:
            promoted = str(decision.promoted).lower()
            return {"decision": decision.kind, "promoted": promoted, "reason": decision.reasons[0]}
    return {}
