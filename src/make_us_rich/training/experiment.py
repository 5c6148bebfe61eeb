"""The question that is asked of the data: one YAML file, one frozen record, stored with the model it made."""

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from make_us_rich.errors import ExperimentError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

PRESETS = ("lstm", "volatility", "blend", "lstm-original")
_NOT_RECIPE = {"since", "until", "source"}


class LstmSettings(BaseModel):
    """How the network is trained; see `models.lstm.LstmOptions`.

    With `warm_start: folds` the network of a fold begins where that of the fold before ended and is trained
    for `warm_epochs`; that of the fold before knew no more, so nothing leaks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: int = Field(default=48, ge=2, le=512)
    hidden: int = Field(default=32, ge=1, le=1024)
    epochs: int = Field(default=4, ge=1, le=1000)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    weight_decay: float = Field(default=1e-2, ge=0)
    warm_start: Literal["none", "folds"] = "none"
    warm_epochs: int = Field(default=1, ge=1, le=1000)
    accelerator: str = "auto"


class OriginalSettings(BaseModel):
    """The published recipe; see `models.original_fit.OriginalOptions`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: int = Field(default=120, ge=2, le=1024)
    hidden: int = Field(default=128, ge=1, le=1024)
    layers: int = Field(default=2, ge=1, le=8)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    learning_rate: float = Field(default=1e-4, gt=0, lt=1)
    batch_size: int = Field(default=64, ge=1)
    epochs: int = Field(default=100, ge=1, le=1000)
    patience: int = Field(default=2, ge=1)
    validation_share: float = Field(default=0.2, gt=0, lt=0.9)
    close_change: Literal["open", "previous"] = "open"
    accelerator: str = "auto"


_PARTS: dict[str, type[BaseModel]] = {"lstm": LstmSettings, "original": OriginalSettings}


class Experiment(BaseModel):
    """One question: which symbol and candles, which model, how trained.

    `since` is a date or a number of days before the end ("730d"), `until` a date, exclusive; None takes
    everything up to now. `source` is as on the command line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["price"] = "price"
    model: Literal["lstm", "volatility", "blend", "lstm-original"] = "lstm"
    symbol: Annotated[str, AfterValidator(lambda text: str(Symbol.parse(text)))]
    timeframe: Annotated[str, AfterValidator(lambda text: str(Timeframe.parse(text)))] = "1h"
    source: str | None = None
    since: str | None = "730d"
    until: str | None = None
    horizons: tuple[int, ...] = (1, 2, 4, 8, 12, 24)
    seed: int = 7
    max_missing_share: float = Field(default=0.01, ge=0, le=1)
    lstm: LstmSettings = LstmSettings()
    original: OriginalSettings = OriginalSettings()

    @model_validator(mode="after")
    def _horizons_rise(self) -> Self:
        if not self.horizons or list(self.horizons) != sorted(set(self.horizons)) or self.horizons[0] < 1:
            raise ValueError(f"horizons must rise from 1 or more, found {list(self.horizons)}")
        if self.model == "lstm-original" and self.horizons != (1,):
            raise ValueError(
                f"lstm-original forecasts the next close only, found horizons {list(self.horizons)}"
            )
        return self

    @property
    def name(self) -> str:
        """The name its models are shelved under."""
        return f"{self.kind}.{Symbol.parse(self.symbol).path_name}.{self.timeframe}"

    def recipe(self) -> dict[str, JsonValue]:
        """Return the experiment without its dates and source: equal recipes differ only in their data."""
        content: dict[str, JsonValue] = self.model_dump(mode="json", exclude=_NOT_RECIPE)
        return content


def load_experiment(path: Path) -> Experiment:
    """Read an experiment file; raises `ExperimentError` naming the key at fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: cannot be read ({error}); name an experiment file") from error
    return parse_experiment(text, str(path))


def preset_experiment(preset: str, symbol: str, **changes: JsonValue) -> Experiment:
    """Return a preset for one symbol; `changes` replace top-level keys, None leaves the preset's value."""
    if preset not in PRESETS:
        raise ExperimentError(f"preset {preset!r} is not known; choose one of {', '.join(PRESETS)}")
    text = (resources.files("make_us_rich.training") / "presets" / f"{preset}.yaml").read_text("utf-8")
    given = {key: value for key, value in changes.items() if value is not None}
    return _build(yaml.safe_load(text) | {"symbol": symbol} | given, f"preset {preset}")


def parse_experiment(text: str, origin: str) -> Experiment:
    """Read the YAML text of an experiment; `origin` is named in errors."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ExperimentError(f"{origin}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ExperimentError(f"{origin}: an experiment is a mapping of keys, found {type(content).__name__}")
    return _build({k: _date_as_text(v) for k, v in content.items()}, origin)


def _build(content: dict[str, object], origin: str) -> Experiment:
    try:
        return Experiment.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "experiment"
        known = _PARTS.get(key.split(".")[0], Experiment) if "." in key else Experiment
        hint = f"; known keys: {', '.join(known.model_fields)}" if first["type"] == "extra_forbidden" else ""
        problem = "unknown key" if hint else first["msg"]
        raise ExperimentError(f"{origin}: {key}: {problem}{hint}") from error


def _date_as_text(value: object) -> object:
    # YAML turns 2024-04-30 into a date; dates are read in one place, from text
    return value.isoformat() if hasattr(value, "isoformat") else value
