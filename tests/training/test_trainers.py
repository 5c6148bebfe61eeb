"""Trainers are found by preset and by file kind, and a broken one of somebody else is one line."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from make_us_rich.errors import ExperimentError
from make_us_rich.forecasting.kinds import known_kinds
from make_us_rich.training import trainers
from make_us_rich.training.trainers import find_by_file_kind, find_by_preset, resolve_trainer


class Failing:
    """A trainer that cannot be made."""

    def __init__(self):
        raise RuntimeError("no licence\nfound")


@pytest.fixture
def elsewhere(monkeypatch):
    """A module outside with a trainer that cannot be made."""
    module = ModuleType("elsewhere")
    module.Failing = Failing
    monkeypatch.setitem(sys.modules, "elsewhere", module)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no_such_package.trainer:Trainer", "No module named 'no_such_package'"),
        ("elsewhere:Missing", "no attribute 'Missing'"),
        ("elsewhere", "has no attribute ''"),
        ("elsewhere:Failing", "no licence found"),
    ],
)
def test_a_trainer_that_cannot_be_loaded_is_one_line(elsewhere, text, reason):
    with pytest.raises(ExperimentError) as error:
        resolve_trainer(text)
    assert reason in str(error.value)
    assert str(error.value).startswith(f"trainer {text} cannot be loaded (")
    assert "update or remove the package" in str(error.value)
    assert "\n" not in str(error.value)


def test_without_the_extra_ours_say_what_is_missing(monkeypatch):
    def load(text):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(trainers, "load_object", load)
    with pytest.raises(ModuleNotFoundError, match="torch"):
        resolve_trainer("make_us_rich.training.other:Trainer")


@pytest.fixture
def beside_a_broken_kind(monkeypatch):
    """A kind of somebody else, asked before ours, whose trainer is not there."""
    kind = SimpleNamespace(name="broken", trainer="no_such_package:Trainer", artifact=None)
    first = {"broken": kind, **known_kinds()}
    monkeypatch.setattr(trainers, "known_kinds", lambda: first)


def test_a_broken_trainer_hides_none_of_ours(beside_a_broken_kind):
    preset = resolve_trainer(known_kinds()["trend-up"].trainer).presets[0]
    assert find_by_preset(preset) == known_kinds()["trend-up"].trainer
    assert find_by_file_kind("trend", "file.yaml") == known_kinds()["trend-up"].trainer
    with pytest.raises(ExperimentError, match=f"choose one of .*{preset}"):
        find_by_preset("nobody's")
    with pytest.raises(ExperimentError, match="choose one of price, trend"):
        find_by_file_kind("nobody's", "file.yaml")


def test_who_asks_for_the_broken_one_is_told_why(beside_a_broken_kind):
    with pytest.raises(ExperimentError, match="no_such_package"):
        resolve_trainer(find_by_preset("broken"))
