"""One training as trackers are told about it: plain values, all of them read off the shelf."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.registry.artifact import MANIFEST_FILE, AnyManifest, read_manifest
from make_us_rich.registry.manifest import Manifest, TensorSpec
from make_us_rich.registry.shelf import Shelf
from make_us_rich.registry.trend_manifest import TrendManifest

_DOCUMENTS = (MANIFEST_FILE, "report.html", "report.md", "report.json", "explain.json")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A shelved version: the name is the experiment, the version the run.

    Metrics are those of the experiment's own model, for a price model one set per horizon:
    `skill_persistence_h1`, `p_value_persistence_h1`, `coverage_90_h1` …; what is undefined is left out.
    """

    name: str
    version: int
    trained_at: datetime
    folder: Path
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    documents: tuple[Path, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


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
        inputs=manifest.inputs,
        outputs=manifest.outputs,
    )


def _parameters(manifest: AnyManifest) -> Iterator[tuple[str, str]]:
    yield from _flattened("", manifest.experiment)
    if isinstance(manifest, Manifest):
        for horizon, forecaster in manifest.served_by.items():
            yield f"served_by_h{horizon}", forecaster
    else:
        yield "served_by", manifest.served_by
    yield "snapshot_hash", manifest.snapshot.hash
    yield "snapshot_rows", str(manifest.snapshot.rows)
    yield "data_end", manifest.data_end.isoformat()


def _flattened(prefix: str, content: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flattened(f"{prefix}{key}.", value)
        elif value is not None:
            yield f"{prefix}{key}", str(value)


def _metrics(manifest: AnyManifest) -> Iterator[tuple[str, float]]:
    if not isinstance(manifest, Manifest):
        yield from trend_metrics(manifest, POOL)
        return
    for record in manifest.evidence.get(manifest.model, ()):
        measured = {f"skill_{yardstick}": value for yardstick, value in record.skill.items()}
        measured |= {f"p_value_{yardstick}": value for yardstick, value in record.p_value.items()}
        measured |= {"skill_sd": record.skill_sd, "coverage_90": record.coverage_90}
        measured |= {"coverage_se": record.coverage_se, "blocks": record.blocks, "n": record.n}
        for key, value in measured.items():
            if value is not None:
                yield f"{key}_h{record.horizon}", float(value)


def trend_metrics(manifest: TrendManifest, forecaster: str) -> Iterator[tuple[str, float]]:
    """Yield `brier`, `skill_random_walk`, `accuracy` and the like of one forecaster of a trend."""
    record = manifest.evidence[forecaster]
    measured = record.model_dump(exclude={"forecaster", "calibration"})
    for key in ("skill", "skill_low", "skill_high", "p_value"):
        measured |= {f"{key}_{baseline}": value for baseline, value in measured.pop(key).items()}
    if forecaster in manifest.published:
        measured |= manifest.published[forecaster].model_dump()
    for key, value in measured.items():
        if value is not None:
            yield key, float(value)


def _tags(manifest: AnyManifest) -> dict[str, str]:
    tags = {f"library.{library}": version for library, version in manifest.library_versions.items()}
    if isinstance(manifest, TrendManifest):
        tags |= {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in manifest.tags.items()
        }
    return (
        {"symbol": manifest.symbol, "pair": manifest.symbol}
        | tags
        | {
            "shelf_version": str(manifest.version),
            "timeframe": manifest.timeframe,
            "market": manifest.market,
            "source": manifest.source,
            "model": manifest.model,
            "code_version": manifest.code_version,
            "seed": str(manifest.seed),
        }
    )


def _decision_tags(shelf: Shelf, name: str, version: int) -> dict[str, str]:
    for decision in shelf.decisions(name):
        if decision.version == version:
            promoted = str(decision.promoted).lower()
            return {"decision": decision.kind, "promoted": promoted, "reason": decision.reasons[0]}
    return {}
