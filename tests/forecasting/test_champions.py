import shutil

import pytest
from structlog.testing import capture_logs

from make_us_rich.forecasting.champions import Champions
from make_us_rich.forecasting.kinds import known_kinds, open_shelf
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from trial_desk import END

NAME = "price.BTC-USDT.1h"


def break_model(folder):
    (folder / "model.onnx").write_bytes(b"broken")


def break_pointer(folder):
    (folder.parent / "champion.json").write_text("{")


def half_write(folder):
    (folder / "manifest.json").unlink()


def remove(folder):
    shutil.rmtree(folder)


@pytest.fixture
def champions(empty_desk):
    return Champions(empty_desk.shelf, known_kinds())


def test_nothing_is_served_before_something_was_promoted(empty_desk, champions):
    empty_desk.shelf.shelve(toy_draft())
    champions.refresh()
    assert champions.artifact(NAME) is None
    assert champions.refusal(NAME) is None


def test_a_promotion_is_followed_at_the_next_refresh(empty_desk, champions):
    for version in (1, 2):
        empty_desk.promote()
        champions.refresh()
        assert champions.artifact(NAME).manifest.version == version


def test_an_unmoved_pointer_keeps_the_loaded_artifact(empty_desk, champions):
    empty_desk.promote()
    champions.refresh()
    before = champions.artifact(NAME)
    champions.refresh()
    assert champions.artifact(NAME) is before


@pytest.mark.parametrize("damage", [break_model, half_write, remove, break_pointer])
def test_a_broken_champion_is_refused_once_and_the_old_one_stays(empty_desk, champions, damage):
    empty_desk.promote()
    champions.refresh()
    second = empty_desk.promote(toy_draft(model=ToyPriceModel(spread=0.02)))
    damage(empty_desk.shelf.folder(NAME, second))
    with capture_logs() as logs:
        for _ in range(3):
            champions.refresh()
    assert champions.artifact(NAME).manifest.version == 1
    assert champions.refusal(NAME)
    assert str(empty_desk.root) not in champions.refusal(NAME), (
        "what the API shows names no folder of this machine"
    )
    assert [one["event"] for one in logs] == ["champion refused, the old one stays"]


def test_a_champion_of_another_market_is_refused(empty_desk, champions):
    live = open_shelf(empty_desk.root / "shelf", "live")
    live.promote(NAME, live.shelve(toy_draft("live")), "sneaked in", END)
    champions.refresh()
    assert champions.artifact(NAME) is None
    assert "made for the live market, this is replay" in champions.refusal(NAME)


def test_a_champion_that_was_still_being_copied_is_taken_once_it_is_whole(empty_desk, champions):
    version = empty_desk.promote()
    folder = empty_desk.shelf.folder(NAME, version)
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[:100])
    champions.refresh()
    (folder / "model.onnx").write_bytes(whole)
    champions.refresh()
    assert champions.artifact(NAME).manifest.version == version
    assert champions.refusal(NAME) is None


def test_a_rollback_is_followed(empty_desk, champions):
    empty_desk.promote()
    empty_desk.promote()
    champions.refresh()
    empty_desk.shelf.rollback(NAME, END)
    champions.refresh()
    assert champions.artifact(NAME).manifest.version == 1


def test_the_champions_stay_when_the_shelf_is_not_readable(empty_desk, champions, monkeypatch):
    empty_desk.promote()
    champions.refresh()

    def unreadable(shelf):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pathlib.Path.iterdir", unreadable)
    champions.refresh()
    assert champions.artifact(NAME).manifest.version == 1


def test_a_name_whose_folder_was_removed_is_no_longer_served(empty_desk, champions):
    empty_desk.promote()
    champions.refresh()
    shutil.rmtree(empty_desk.shelf.root / NAME)
    champions.refresh()
    assert champions.artifact(NAME) is None
