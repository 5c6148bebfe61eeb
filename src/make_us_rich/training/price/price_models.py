"""Price models by name: what an experiment may say of each, and the recipe it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from make_us_rich.registries import Registry, load_object

if TYPE_CHECKING:  # torch is loaded when a recipe is, not when a model is named
    from make_us_rich.evaluation.walk_forward import PriceCandidate
    from make_us_rich.training.price.experiment import PriceExperiment


class PriceModel(Protocol):
    """A price model as an experiment names it; `make_us_rich.testing.check_price_model` checks one.

    `name` is the one it is registered under. `settings_key` is the key of its settings in an experiment file
    and `settings` their record, or both None. `reads_inputs` says whether `inputs` may be named with it,
    `horizons` which horizons it can do, None: any.
    """

    @property
    def name(self) -> str:
        """The name of the model, and of the last of its candidates."""

    @property
    def settings_key(self) -> str | None:
        """The key under which its settings stand in an experiment file."""

    @property
    def settings(self) -> type[BaseModel] | None:
        """The record of its settings: frozen, every field with a default, unknown keys refused."""

    @property
    def reads_inputs(self) -> bool:
        """Whether it reads the features an experiment names."""

    @property
    def horizons(self) -> tuple[int, ...] | None:
        """The only horizons it can forecast; None for any."""

    def candidates(self, experiment: "PriceExperiment") -> "tuple[PriceCandidate, ...]":
        """Return what runs through the folds: `volatility` first, as the yardstick, and the model itself."""


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


@dataclass(frozen=True, slots=True)
class RecipeOf:
    """A price model whose candidates come from the function a text `module:object` names."""

    name: str
    recipe: str
    settings_key: str | None = None
    settings: type[BaseModel] | None = None
    reads_inputs: bool = False
    horizons: tuple[int, ...] | None = None

    def candidates(self, experiment: "PriceExperiment") -> "tuple[PriceCandidate, ...]":
        """Return what runs through the folds."""
        found: tuple[PriceCandidate, ...] = load_object(self.recipe)(experiment)
        return found


_RECIPES = "make_us_rich.training.price.candidates"
_OURS = (
    RecipeOf("lstm", f"{_RECIPES}:lstm_candidates", "lstm", LstmSettings, reads_inputs=True),
    RecipeOf("volatility", f"{_RECIPES}:volatility_candidates"),
    RecipeOf("blend", f"{_RECIPES}:blend_candidates", "lstm", LstmSettings, reads_inputs=True),
    RecipeOf("lstm-original", f"{_RECIPES}:original_candidates", "original", OriginalSettings, horizons=(1,)),
)
PRICE_MODELS: Registry[PriceModel] = Registry("make_us_rich.models", {one.name: one for one in _OURS})
"""An entry point of the group names a `PriceModel`."""


def settings_records(model: PriceModel | None = None) -> Mapping[str, type[BaseModel]]:
    """Return the records of settings by their key: those every experiment has, and the model's own."""
    every = [*_OURS, *([model] if model else [])]
    return {one.settings_key: one.settings for one in every if one.settings_key and one.settings}
