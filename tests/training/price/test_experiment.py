from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from make_us_rich.errors import ExperimentError
from make_us_rich.models.lstm import LstmOptions
from make_us_rich.training.price.experiment import (
    PriceExperiment,
    load_experiment,
    parse_experiment,
    preset_experiment,
)
from make_us_rich.training.price.price_models import PRICE_MODELS, LstmSettings, RecipeOf


@pytest.mark.parametrize("preset", PRICE_MODELS)
def test_every_preset_is_an_experiment(preset: str) -> None:
    experiment = preset_experiment(preset, "eth-usdt", seed=9)
    assert (experiment.symbol, experiment.seed, experiment.model) == ("ETH/USDT", 9, preset)
    assert experiment.name == "price.ETH-USDT.1h"


def test_preset_file_states_the_defaults_of_the_code() -> None:
    assert preset_experiment("lstm", "BTC/USDT").lstm == LstmSettings()
    cold = LstmSettings().model_dump(exclude={"warm_start", "warm_epochs"})
    assert LstmOptions(**cold) == LstmOptions()


def test_an_unknown_key_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ExperimentError, match=r"mine\.yaml: windwo: unknown key; known keys: kind, model"):
        parse_experiment("symbol: BTC/USDT\nwindwo: 3\n", "mine.yaml")
    with pytest.raises(ExperimentError, match=r"lstm\.hiden: unknown key; known keys: window, hidden"):
        parse_experiment("symbol: BTC/USDT\nlstm: {hiden: 3}\n", "mine.yaml")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("symbol: [", "not YAML"),
        ("- 1", "a mapping of keys, found list"),
        ("model: lstm", "symbol: Field required"),
        ("symbol: BTC/USDT\nhorizons: [4, 2]", "horizons must rise"),
        ("symbol: BTC/USDT\nlstm: {epochs: 0}", "lstm.epochs"),
        (
            "symbol: BTC/USDT\nmodel: blnd",
            "model: Value error, model 'blnd' is not known; did you mean blend?",
        ),
    ],
)
def test_a_broken_experiment_names_what_was_found(text: str, finding: str) -> None:
    with pytest.raises(ExperimentError) as refusal:
        parse_experiment(text, "mine.yaml")
    assert finding in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="cannot be read"):
        load_experiment(tmp_path / "none.yaml")


def test_a_bare_date_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("symbol: BTC/USDT\nsince: 2024-04-30\nuntil: 2026-04-30\n")
    assert load_experiment(path).since == "2024-04-30"


def test_newer_data_is_the_same_recipe_and_another_window_is_not() -> None:
    one = preset_experiment("lstm", "BTC/USDT", until="2026-01-01", source="replay:a")
    two = preset_experiment("lstm", "BTC/USDT", until="2026-02-01", source="replay:b")
    other = preset_experiment("lstm", "BTC/USDT", lstm={"window": 24})
    assert one.recipe() == two.recipe() != other.recipe()


@given(st.integers(0, 2**31), st.integers(2, 512), st.sampled_from(["1h", "4h", "1d"]))
def test_an_experiment_survives_being_stored_as_json(seed: int, window: int, timeframe: str) -> None:
    one = PriceExperiment(symbol="BTC/USDT", seed=seed, timeframe=timeframe, lstm=LstmSettings(window=window))
    assert PriceExperiment.model_validate_json(one.model_dump_json()) == one


class GarchSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    lags: int = Field(default=1, ge=1)


GARCH = RecipeOf(
    "garch",
    "make_us_rich.training.price.candidates:volatility_candidates",
    "garch",
    GarchSettings,
    horizons=(1, 4),
)


@pytest.fixture
def offered() -> Iterator[None]:
    with PRICE_MODELS.offering("garch", GARCH):
        yield


def test_a_model_that_is_not_ours_has_its_settings_under_its_key(offered: None) -> None:
    stated = parse_experiment("symbol: BTC/USDT\nmodel: garch\nhorizons: [1]\ngarch: {lags: 3}\n", "my.yaml")
    assert stated.settings == GarchSettings(lags=3)
    assert stated.recipe()["garch"] == {"lags": 3}
    assert PriceExperiment.model_validate(stated.model_dump(mode="json")) == stated
    assert PriceExperiment.model_validate(stated.model_dump() | {"seed": 8}).settings == GarchSettings(lags=3)


def test_a_model_without_a_preset_file_stands_for_its_defaults(offered: None) -> None:
    preset = preset_experiment("garch", "BTC/USDT")
    assert (preset.model, preset.horizons, preset.settings) == ("garch", (1, 4), GarchSettings())


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("model: garch\nhorizons: [1]\ngarch: {lag: 3}", "garch.lag: unknown key; known keys: lags"),
        ("model: garch\nhorizons: [1]\ngarch: {lags: 0}", "garch.lags: Input should be greater than"),
        ("model: garch\nhorizons: [1]\ngarhc: {}", "garhc: unknown key; known keys: kind, model"),
        ("model: lstm\ngarch: {}", "garch: unknown key"),
        ("model: garch", r"garch forecasts horizons \[1, 4\] only, found horizons \[1, 2, 4"),
        ("model: garch\nhorizons: [1]\ninputs: [calendar]", "garch reads candles only; drop inputs"),
    ],
)
def test_what_does_not_fit_a_model_is_named(offered: None, text: str, finding: str) -> None:
    with pytest.raises(ExperimentError, match=finding):
        parse_experiment(f"symbol: BTC/USDT\n{text}\n", "my.yaml")


def test_an_unknown_preset_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        ExperimentError, match=r"preset 'lsmt' is not known; .*choose one of lstm, volatility, "
    ):
        preset_experiment("lsmt", "BTC/USDT")


def test_the_experiment_of_a_manifest_says_what_it_said_before() -> None:
    keys = "kind model symbol timeframe source since until horizons seed inputs market_symbols"
    stored = preset_experiment("lstm", "BTC/USDT").model_dump(mode="json")
    assert list(stored) == [*keys.split(), "max_missing_share", "lstm", "original"]
