"""Experiment files: YAML text to a checked record, with errors that name the key at fault."""

from collections.abc import Mapping
from dataclasses import fields
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from make_us_rich.errors import ExperimentError

Record = TypeVar("Record", bound=BaseModel)
Parts = Mapping[str, type[Any]]
"""The records nested keys belong to: pydantic models or frozen dataclasses."""

_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}


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


def has_preset(preset: str) -> bool:
    """Say whether a preset has a file; a model without one stands for its defaults."""
    return _preset(preset).is_file()


def preset_content(preset: str) -> dict[str, object]:
    """Return the content of a preset."""
    text = _preset(preset).read_text("utf-8") if has_preset(preset) else f"model: {preset}"
    return parse_content(text, f"preset {preset}")


def build_record(kind: type[Record], parts: Parts, content: Mapping[str, object], origin: str) -> Record:
    """Check content; `parts` are the records that nested keys belong to, whose keys are named in errors."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "experiment"
        known = parts.get(key.split(".")[0], kind) if "." in key else kind
        hint = f"; known keys: {', '.join(_keys(known))}" if first["type"] in _UNKNOWN else ""
        problem = "unknown key" if hint else first["msg"]
        raise ExperimentError(f"{origin}: {key}: {problem}{hint}") from error


def _preset(preset: str) -> Traversable:
    return resources.files("make_us_rich.training") / "presets" / f"{preset}.yaml"


def _keys(record: type[Any]) -> list[str]:
    if issubclass(record, BaseModel):
        return list(record.model_fields)
    return [one.name for one in fields(record)]


def _date_as_text(value: object) -> object:
    # YAML turns 2024-04-30 into a date; dates are read in one place, from text
    return value.isoformat() if hasattr(value, "isoformat") else value
