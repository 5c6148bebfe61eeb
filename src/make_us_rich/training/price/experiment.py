"""The question that is asked about a price: one YAML file, one frozen record, stored with its model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from make_us_rich.errors import ExperimentError, MakeUsRichError
from make_us_rich.features.feature_set import resolve_feature
from make_us_rich.features.inputs import in_order, reads_market
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.training.experiment_file import (
    build_record,
    has_preset,
    parse_content,
    preset_content,
    read_text,
)
from make_us_rich.training.price.price_models import (
    PRICE_MODELS,
    LstmSettings,
    OriginalSettings,
    PriceModel,
    settings_records,
)

SymbolText = Annotated[str, AfterValidator(lambda text: str(Symbol.parse(text)))]
_NOT_RECIPE = {"since", "until", "source"}


class PriceExperiment(BaseModel):
    """One question: which symbol and candles, which model, how trained.

    `since` is a date or a number of days before the end ("730d"), `until` a date, exclusive; None takes
    everything up to now. `source` is as on the command line. `inputs` are features the model reads besides
    candles; what they need of other symbols is that of `market_symbols`. The settings of a model that is not
    ours stand under the key it names.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Literal["price"] = "price"
    model: str = "lstm"
    symbol: SymbolText
    timeframe: Annotated[str, AfterValidator(lambda text: str(Timeframe.parse(text)))] = "1h"
    source: str | None = None
    since: str | None = "730d"
    until: str | None = None
    horizons: tuple[int, ...] = (1, 2, 4, 8, 12, 24)
    seed: int = 7
    inputs: tuple[str, ...] = ()
    market_symbols: tuple[SymbolText, ...] = ("BTC/USDT", "ETH/USDT")
    max_missing_share: float = Field(default=0.01, ge=0, le=1)
    lstm: LstmSettings = LstmSettings()
    original: OriginalSettings = OriginalSettings()

    @model_validator(mode="before")
    @classmethod
    def _settings_are_of_its_model(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        model = _known_model(content)
        others = {key: value for key, value in content.items() if key not in cls.model_fields}
        key, record = (model.settings_key, model.settings) if model else (None, None)
        if unknown := [one for one in others if one != key]:
            raise _located(cls.__name__, unknown[0], [InitErrorDetails(type="extra_forbidden", input=None)])
        if key is None or record is None or key in cls.model_fields:
            return content
        try:
            return {**content, key: record.model_validate(others.get(key, {})).model_dump(mode="json")}
        except ValidationError as error:
            raise _located(cls.__name__, key, [_details(one) for one in error.errors()]) from error

    @field_validator("model")
    @classmethod
    def _model_is_known(cls, name: str) -> str:
        if name not in PRICE_MODELS:
            raise ValueError(str(PRICE_MODELS.unknown(name)))
        return name

    @model_validator(mode="after")
    def _horizons_rise(self) -> Self:
        if not self.horizons or list(self.horizons) != sorted(set(self.horizons)) or self.horizons[0] < 1:
            raise ValueError(f"horizons must rise from 1 or more, found {list(self.horizons)}")
        able = self.price_model.horizons
        if able == (1,) and self.horizons != able:
            raise ValueError(
                f"{self.model} forecasts the next close only, found horizons {list(self.horizons)}"
            )
        if able is not None and not set(self.horizons) <= set(able):
            raise ValueError(
                f"{self.model} forecasts horizons {list(able)} only, found horizons {list(self.horizons)}"
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
    def _ordered(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for name in names:
                resolve_feature(name)
        except MakeUsRichError as error:
            raise ValueError(str(error)) from error
        return in_order(names)  # so that equal questions are equal recipes

    @model_validator(mode="after")
    def _inputs_are_read(self) -> Self:
        if self.inputs and not self.price_model.reads_inputs:
            raise ValueError(f"{self.model} reads candles only; drop inputs, or take model lstm or blend")
        for name in self.inputs:
            feature = resolve_feature(name)
            if not feature.suits(Timeframe.parse(self.timeframe)):
                lengths = ", ".join(feature.timeframes)
                raise ValueError(f"{name} is for candles of {lengths}, found {self.timeframe}; drop it")
            if reads_market([name]) and not self.market:
                raise ValueError(f"{name} needs market_symbols other than {self.symbol} itself")
        return self

    @property
    def price_model(self) -> PriceModel:
        """The model it names."""
        return PRICE_MODELS.resolve(self.model)

    @property
    def settings(self) -> BaseModel | None:
        """The settings of its model."""
        model = self.price_model
        if model.settings_key is None or model.settings is None:
            return None
        return model.settings.model_validate(dict(self)[model.settings_key])

    @property
    def market(self) -> tuple[str, ...]:
        """The other symbols whose candles are read: none unless an input needs them."""
        if not reads_market(self.inputs):
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


def load_experiment(path: Path) -> PriceExperiment:
    """Read an experiment file; raises `ExperimentError` naming the key at fault."""
    return parse_experiment(read_text(path), str(path))


def preset_experiment(preset: str, symbol: str, **changes: JsonValue) -> PriceExperiment:
    """Return a preset for one symbol; `changes` replace top-level keys, None leaves the preset's value."""
    if not has_preset(preset) and preset not in PRICE_MODELS:
        raise ExperimentError(f"preset {preset!r} is not known; choose one of {', '.join(PRICE_MODELS)}")
    given = {key: value for key, value in changes.items() if value is not None}
    own = {} if has_preset(preset) else _own_horizons(preset)
    return build_experiment({**own, **preset_content(preset), "symbol": symbol, **given}, f"preset {preset}")


def parse_experiment(text: str, origin: str) -> PriceExperiment:
    """Read the YAML text of an experiment; `origin` is named in errors."""
    return build_experiment(parse_content(text, origin), origin)


def build_experiment(content: Mapping[str, object], origin: str) -> PriceExperiment:
    """Check the content of an experiment; `origin` is named in errors."""
    return build_record(PriceExperiment, settings_records(_known_model(content)), content, origin)


def _own_horizons(model: str) -> dict[str, object]:
    horizons = PRICE_MODELS.resolve(model).horizons
    return {} if horizons is None else {"horizons": horizons}


def _known_model(content: Mapping[str, object]) -> PriceModel | None:
    name = content.get("model", PriceExperiment.model_fields["model"].default)
    return PRICE_MODELS.resolve(name) if isinstance(name, str) and name in PRICE_MODELS else None


def _details(error: Any) -> InitErrorDetails:
    # a message may hold braces, which a custom error would take for places to fill
    kind = "extra_forbidden" if error["type"] == "extra_forbidden" else None
    told = kind or PydanticCustomError("value_error", "{told}", {"told": error["msg"]})
    return InitErrorDetails(type=told, loc=error["loc"], input=error["input"])


def _located(title: str, key: str, errors: list[InitErrorDetails]) -> ValidationError:
    lines = [one | {"loc": (key, *one.get("loc", ()))} for one in errors]
    return ValidationError.from_exception_data(title, lines)
