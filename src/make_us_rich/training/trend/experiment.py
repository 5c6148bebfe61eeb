"""The question a trend pool is asked: one YAML file, one frozen record, stored with every model it made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from make_us_rich.features.trend_labels import Direction, TrendLabel
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.training.experiment_file import build_record, parse_content, preset_content, read_text

CANDIDATES = (
    "RandomForest",
    "SupportVectorMachine",
    "XGBoost",
    "HistGradientBoosting",
    "AdaBoost",
    "Ridge",
    "KNeighbors",
    "MLP",
    "LightGBM",
    "NeuralNet",
)
_NOT_RECIPE = {"since", "until", "source", "budget_seconds"}


class FoldSettings(BaseModel):
    """How the days are cut; see `evaluation.trends.folds.FoldPlan`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: int = Field(default=120, ge=20, le=1000)
    most: int = Field(default=8, ge=3, le=100)
    least_rows: int = Field(default=300, ge=50)


_PARTS: dict[str, type] = {"label": TrendLabel, "folds": FoldSettings}


class TrendExperiment(BaseModel):
    """One question about one coin: which event, which candidates, how they are judged.

    `since` is a date or a number of days before the end, `until` a date, exclusive; `source` is as on the
    command line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["trend"] = "trend"
    symbol: Annotated[str, AfterValidator(lambda text: str(Symbol.parse(text)))]
    timeframe: Annotated[str, AfterValidator(lambda text: str(Timeframe.parse(text)))] = "1d"
    source: str | None = None
    since: str | None = "3650d"
    until: str | None = None
    label: TrendLabel = TrendLabel()
    directions: tuple[Direction, ...] = ("up", "down")
    candidates: tuple[str, ...] = CANDIDATES
    folds: FoldSettings = FoldSettings()
    budget_seconds: float = Field(default=120, gt=0)
    seed: int = 7

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        unknown = [name for name in self.candidates if name not in CANDIDATES]
        if unknown or not self.candidates:
            raise ValueError(f"candidates are {', '.join(CANDIDATES)}; found {', '.join(unknown) or 'none'}")
        if not self.directions or len(set(self.directions)) != len(self.directions):
            raise ValueError(f"directions are up, down or both once, found {list(self.directions)}")
        return self

    def name(self, direction: Direction) -> str:
        """The name the models of a direction are shelved under."""
        return f"trend-{direction}.{Symbol.parse(self.symbol).path_name}.{self.timeframe}"

    def recipe(self) -> dict[str, JsonValue]:
        """Return the experiment without its dates and source: equal recipes differ only in their data."""
        content: dict[str, JsonValue] = self.model_dump(mode="json", exclude=_NOT_RECIPE)
        return content


def preset_trend(symbol: str, **changes: JsonValue) -> TrendExperiment:
    """Return the preset for one coin; `changes` replace top-level keys, None leaves the preset's value."""
    given = {key: value for key, value in changes.items() if value is not None}
    return build_trend(preset_content("trend") | {"symbol": symbol} | given, "preset trend")


def load_trend(path: Path) -> TrendExperiment:
    """Read an experiment file of kind trend; raises `ExperimentError` naming the key at fault."""
    return build_trend(parse_content(read_text(path), str(path)), str(path))


def build_trend(content: Mapping[str, object], origin: str) -> TrendExperiment:
    """Check the content of an experiment; `origin` is named in errors."""
    return build_record(TrendExperiment, _PARTS, content, origin)
