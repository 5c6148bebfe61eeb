import os
import sys
from datetime import UTC, datetime

import pytest

from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.registry.run_record import read_run
from make_us_rich.testing.artifacts import toy_draft
from make_us_rich.training.tracking import Trained, open_tracker, tell_champion, tell_trained, tell_training
from trend_shelf import exported, trend_draft

NAME = "price.BTC-USDT.1h"


class Notebook:
    """A tracker that writes down what it is told."""

    name = "notebook"
    extra = "notebook"

    def __init__(self):
        self.runs = []
        self.champions = []

    def record(self, run, candidates=()):
        self.runs.append((run.name, run.version, *(one.name for one in candidates)))

    def point(self, name, champion):
        self.champions.append((name, champion and champion.version))


class Broken(Notebook):
    def record(self, *told):
        raise RuntimeError("the database is locked\nand more")

    point = record


@pytest.fixture
def shelf(tmp_path):
    shelf = open_shelf(tmp_path / "shelf", "replay")
    shelf.shelve(toy_draft())
    return shelf


def test_by_default_nobody_is_told(tmp_path):
    assert open_tracker("none", tmp_path) is None
    tell_training(None, open_shelf(tmp_path, "replay"), NAME, 1, pytest.fail)
    assert list(tmp_path.iterdir()) == []


def test_a_tracker_is_told_of_the_training_and_of_who_is_served(shelf):
    told = Notebook()
    tell_training(told, shelf, NAME, 1, pytest.fail)
    shelf.promote(NAME, 1, "better", datetime(2024, 3, 2, tzinfo=UTC))
    tell_champion(told, shelf, NAME, pytest.fail)
    assert told.runs == [(NAME, 1)]
    assert told.champions == [(NAME, None), (NAME, 1)]


def test_a_tracker_is_told_of_the_candidates_a_trend_was_chosen_from(shelf):
    told, draft = Notebook(), trend_draft()
    trained = Trained(draft.manifest.name, shelf.shelve(draft), exported("Ridge", "MLP"))
    tell_trained(told, shelf, trained, pytest.fail)
    assert told.runs == [(draft.manifest.name, 1, "Ridge", "MLP")]


def test_candidates_that_cannot_be_read_cost_one_line_and_who_is_served_is_told(shelf):
    told, lines = Notebook(), []
    tell_trained(told, shelf, Trained(NAME, 2, exported()), lines.append)
    (line,) = lines
    assert line.startswith(f"Warning: notebook was not told about {NAME}@2 ({NAME} has no version 2")
    assert told.champions == [(NAME, None)]


def test_a_tracker_that_fails_costs_one_line_each_time(shelf):
    lines = []
    tell_training(Broken(), shelf, NAME, 1, lines.append)
    assert lines == [
        f"Warning: notebook was not told about {about} (the database is locked); the shelf is not affected."
        for about in (f"{NAME}@1", f"the champion of {NAME}")
    ]


@pytest.mark.parametrize(("tracking", "module"), [("mlflow", "mlflow.tracking"), ("wandb", "wandb")])
def test_a_tracker_that_is_not_installed_names_its_extra(shelf, tmp_path, monkeypatch, tracking, module):
    monkeypatch.setitem(sys.modules, module, None)
    lines = []
    tell_training(open_tracker(tracking, tmp_path), shelf, NAME, 1, lines.append)
    assert f"pip install 'make-us-rich[{tracking}]'" in lines[0]


def test_wandb_writes_offline_and_nowhere_but_under_the_desk(shelf, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    for variable in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "person"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    told = open_tracker("wandb", tmp_path / "desk")
    told.record(read_run(shelf, NAME, 1))
    told.point(NAME, None)
    (run,) = (tmp_path / "desk" / "wandb").glob("wandb/offline-run-*/*.wandb")
    content = run.read_bytes()
    for written in (NAME, "version 1", "shelf_version", "served_by_h1"):
        assert written.encode() in content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["desk", "shelf"]
    assert dict(os.environ) == before


def test_wandb_tells_the_candidates_of_a_trend_in_the_run_of_its_training(shelf, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    draft = trend_draft()
    version = shelf.shelve(draft)
    told = Trained(draft.manifest.name, version, exported("Ridge"))
    tell_trained(open_tracker("wandb", tmp_path / "desk"), shelf, told, pytest.fail)
    (run,) = (tmp_path / "desk" / "wandb").glob("wandb/offline-run-*/*.wandb")
    content = run.read_bytes()
    for written in ("Ridge/alpha", "Ridge/brier", "Ridge/skill_random_walk", "Ridge.onnx"):
        assert written.encode() in content
