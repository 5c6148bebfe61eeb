import pytest

from make_us_rich.errors import ExperimentError
from make_us_rich.training.trend.experiment import CANDIDATES, build_trend, load_trend, preset_trend


def test_the_preset_asks_the_published_question_of_ten_candidates():
    experiment = preset_trend("sol-usdt")
    assert (experiment.label.kind, experiment.label.threshold, experiment.label.horizon) == (
        "sma-change",
        0.05,
        10,
    )
    assert experiment.candidates == CANDIDATES
    assert experiment.name("up") == "trend-up.SOL-USDT.1d"


def test_an_experiment_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "trend.yaml"
    path.write_text("kind: trend\nsymbol: SOL/USDT\nlabel: {kind: touch, threshold: 0.1}\ndirections: [up]\n")
    experiment = load_trend(path)
    assert experiment.label.kind == "touch"
    assert build_trend(experiment.model_dump(mode="json"), "again") == experiment


def test_equal_recipes_differ_only_in_their_data():
    early, late = preset_trend("SOL/USDT", until="2024-01-01"), preset_trend("SOL/USDT", until="2025-01-01")
    assert early.recipe() == late.recipe() != preset_trend("SOL/USDT", seed=8).recipe()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"labels": {}}, "labels: unknown key; known keys: kind, symbol"),
        (
            {"label": {"window": 3}},
            "label.window: unknown key; known keys: kind, average, horizon, threshold",
        ),
        ({"candidates": ["Oracle"]}, "candidates are RandomForest, .*; found Oracle"),
        ({"directions": ["up", "up"]}, "directions are up, down or both once"),
        ({"label": {"threshold": 0}}, "label.threshold: Input should be greater than 0"),
        ({"directions": ["sideways"]}, "directions.0: Input should be 'up' or 'down'"),
    ],
)
def test_what_does_not_hold_together_is_named(content, said):
    with pytest.raises(ExperimentError, match=said):
        build_trend({"symbol": "SOL/USDT"} | content, "file")
