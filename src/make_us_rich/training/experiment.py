"""The question that is asked of the data: one YAML file, one frozen record, stored with the model it made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from make_us_rich.errors import ExperimentError
from make_us_rich.market.activity import ActivityInput, in_order
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.training.experiment_file import build_record, parse_content, preset_content, read_text

PRESETS = ("lstm", "volatility", "blend", "lstm-original")
SymbolText = Annotated[str, AfterValidator(lambda text: str(Symbol.parse(text)))]
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
    everything up to now. `source` is as on the command line. `inputs` are read besides candles, in the
    network and the regression under it; the market's volatility is that of `market_symbols`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["price"] = "price"
    model: Literal["lstm", "volatility", "blend", "lstm-original"] = "lstm"
    symbol: SymbolText
    timeframe: Annotated[str, AfterValidator(lambda text: str(Timeframe.parse(text)))] = "1h"
    source: str | None = None
    since: str | None = "730d"
    until: str | None = None
    horizons: tuple[int, ...] = (1, 2, 4, 8, 12, 24)
    seed: int = 7
    inputs: tuple[ActivityInput, ...] = ()
    market_symbols: tuple[SymbolText, ...] = ("BTC/USDT", "ETH/USDT")
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

    @field_validator("inputs", "market_symbols")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError(f"name each once, found {', '.join(names)}")
        return names

    @field_validator("inputs")
    @classmethod
    def _ordered(cls, names: tuple[ActivityInput, ...]) -> tuple[ActivityInput, ...]:
        return in_order(names)  # so that equal questions are equal recipes

    @model_validator(mode="after")
    def _inputs_are_read(self) -> Self:
        if self.inputs and self.model in {"lstm-original", "volatility"}:
            raise ValueError(f"{self.model} reads candles only; drop inputs, or take model lstm or blend")
        if "market_volatility" in self.inputs and not self.market:
            raise ValueError(f"market_volatility needs market_symbols other than {self.symbol} itself")
        return self

    @property
    def market(self) -> tuple[str, ...]:
        """The other symbols whose candles are read: none unless `market_volatility` is among the inputs."""
        if "market_volatility" not in self.inputs:
            return ()
        return tuple(symbol for symbol in self.market_symbols if symbol != self.symbol)

    @property
    def name(self) -> str:
        """The name its models are shelved under."""
        return f"{self.kind}.{Symbol.parse(self.symbol).path_name}.{self.timeframe}"

    def recipe(self) -> dict[str, JsonValue]:
        """Return the experiment without its dates and source: equal recipes differ only in their data."""
        content: dict[str, JsonValue] = self.model_dump(mode="json", exclude=_NOT_RECIPE)
        return content


def asks_for_trends(targets: Sequence[str]) -> bool:
    """Say whether what is to be trained is an experiment file of kind trend."""
    files = [Path(text) for text in targets if text.endswith((".yaml", ".yml"))]
    if len(files) != 1 or not files[0].is_file():
        return False
    try:
        return parse_content(read_text(files[0]), str(files[0])).get("kind") == "trend"
    except ExperimentError:
        return False  # said better by whoever reads it as an experiment


def load_experiment(path: Path) -> Experiment:
    """Read an experiment file; raises `ExperimentError` naming the key at fault."""
    return parse_experiment(read_text(path), str(path))


def preset_experiment(preset: str, symbol: str, **changes: JsonValue) -> Experiment:
    """Return a preset for one symbol; `changes` replace top-level keys, None leaves the preset's value."""
    if preset == "trend":
        raise ExperimentError(
            "preset trend is walked forward where it is trained; run `mur train --preset trend`"
        )
    if preset not in PRESETS:
        raise ExperimentError(
            f"preset {preset!r} is not known; choose one of {', '.join((*PRESETS, 'trend'))}"
        )
    content = preset_content(preset, symbol, changes)
    return build_record(Experiment, _PARTS, content, f"preset {preset}")


def parse_experiment(text: str, origin: str) -> Experiment:
    """Read the YAML text of an experiment; `origin` is named in errors."""
    return build_record(Experiment, _PARTS, parse_content(text, origin), origin)
