from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.errors import ExperimentError
from make_us_rich.models.lstm import LstmOptions
from make_us_rich.training.experiment import (
    PRESETS,
    Experiment,
    LstmSettings,
    load_experiment,
    parse_experiment,
    preset_experiment,
)


@pytest.mark.parametrize("preset", PRESETS)
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
        ("symbol: BTC/USDT\nmodel: prophet", "model"),
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
    one = Experiment(symbol="BTC/USDT", seed=seed, timeframe=timeframe, lstm=LstmSettings(window=window))
    assert Experiment.model_validate_json(one.model_dump_json()) == one
