"""Experiment files: YAML text to a checked record, with errors that name the key at fault."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, JsonValue, ValidationError

from make_us_rich.errors import ExperimentError

Record = TypeVar("Record", bound=BaseModel)
Parts = Mapping[str, type[BaseModel]]


def read_text(path: Path) -> str:
    """Return the text of an experiment file; `ExperimentError` where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: cannot be read ({error}); name an experiment file") from error


def parse_content(text: str, origin: str) -> dict[str, object]:
    """Read the YAML text of an experiment; `origin` is named in errors."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ExperimentError(f"{origin}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ExperimentError(f"{origin}: an experiment is a mapping of keys, found {type(content).__name__}")
    return {key: _date_as_text(value) for key, value in content.items()}


def preset_content(preset: str, symbol: str, changes: Mapping[str, JsonValue]) -> dict[str, object]:
    """Return a preset's content for one symbol; `changes` replace top-level keys, where they are not None."""
    text = (resources.files("make_us_rich.training") / "presets" / f"{preset}.yaml").read_text("utf-8")
    given = {key: value for key, value in changes.items() if value is not None}
    return parse_content(text, f"preset {preset}") | {"symbol": symbol} | given


def build_record(kind: type[Record], parts: Parts, content: Mapping[str, object], origin: str) -> Record:
    """Check content; `parts` are the records that nested keys belong to, whose keys are named in errors."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "experiment"
        known = parts.get(key.split(".")[0], kind) if "." in key else kind
        hint = f"; known keys: {', '.join(known.model_fields)}" if first["type"] == "extra_forbidden" else ""
        problem = "unknown key" if hint else first["msg"]
        raise ExperimentError(f"{origin}: {key}: {problem}{hint}") from error


def _date_as_text(value: object) -> object:
    # YAML turns 2024-04-30 into a date; dates are read in one place, from text
    return value.isoformat() if hasattr(value, "isoformat") else value
