import shutil
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta

import pytest

from make_us_rich.errors import ArtifactError, StoreError, UnknownNameError, UsageError
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.forecasting.price.artifact import PRICE_ARTIFACT
from make_us_rich.registry.artifact import load_artifact
from make_us_rich.registry.shelf import Champion, Decision
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft

NAME = "price.BTC-USDT.1h"
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


def decision(version, kind="first", *, promoted=True, at=NOW):
    return Decision(at=at, version=version, kind=kind, promoted=promoted, reasons=("it was better",))


def test_an_empty_shelf_holds_nothing(shelf):
    assert shelf.names() == []
    assert shelf.versions(NAME) == []
    assert shelf.champion(NAME) is None
    assert shelf.decisions(NAME) == []


def test_versions_count_from_one_and_nothing_is_served_by_itself(shelf):
    assert [shelf.shelve(toy_draft()), shelf.shelve(toy_draft())] == [1, 2]
    assert shelf.names() == [NAME]
    assert shelf.versions(NAME) == [1, 2]
    assert shelf.champion(NAME) is None


def test_versions_are_ordered_as_numbers(shelf):
    for _ in range(10):
        shelf.shelve(toy_draft())
    assert shelf.versions(NAME)[-2:] == [9, 10]


def test_a_shelved_artifact_knows_its_name_and_version(shelf):
    version = shelf.shelve(toy_draft())
    manifest = shelf.load(NAME, version).manifest
    assert (manifest.name, manifest.version) == (NAME, 1)


def test_a_version_number_is_never_used_twice(shelf):
    shelf.shelve(toy_draft())
    shelf.shelve(toy_draft())
    shelf.record_decision(NAME, decision(2, promoted=False))
    shutil.rmtree(shelf.folder(NAME, 2))
    assert shelf.shelve(toy_draft()) == 3


def test_an_artifact_of_another_market_is_not_shelved(shelf):
    with pytest.raises(ArtifactError, match="made for the live market, this shelf is replay"):
        shelf.shelve(toy_draft(market="live"))


def test_promotion_points_to_the_version_and_remembers_the_one_before(shelf):
    first, second = shelf.shelve(toy_draft()), shelf.shelve(toy_draft())
    assert shelf.promote(NAME, first, "first", NOW) == Champion(
        version=1, previous=None, reason="first", at=NOW
    )
    shelf.promote(NAME, second, "better", NOW)
    assert shelf.champion(NAME) == Champion(version=2, previous=1, reason="better", at=NOW)


def test_promoting_the_champion_again_changes_nothing(shelf):
    for _ in range(2):
        shelf.promote(NAME, shelf.shelve(toy_draft()), "better", NOW)
    before = shelf.champion(NAME)
    assert shelf.promote(NAME, 2, "again", NOW + timedelta(hours=1)) == before
    assert shelf.champion(NAME) == before


def test_a_broken_version_is_not_promoted_and_the_old_champion_stays(shelf):
    shelf.promote(NAME, shelf.shelve(toy_draft()), "first", NOW)
    broken = shelf.shelve(toy_draft())
    (shelf.folder(NAME, broken) / "model.onnx").write_bytes(b"broken")
    with pytest.raises(ArtifactError, match="SHA-256"):
        shelf.promote(NAME, broken, "better", NOW)
    assert shelf.champion(NAME).version == 1


def test_an_artifact_moved_to_another_name_is_refused(shelf):
    version = shelf.shelve(toy_draft())
    other = shelf.root / "price.ETH-USDT.1h"
    other.mkdir()
    shutil.copytree(shelf.folder(NAME, version), other / "1")
    with pytest.raises(ArtifactError, match=r"its manifest says price\.BTC-USDT\.1h@1"):
        shelf.promote("price.ETH-USDT.1h", 1, "sneaked in", NOW)


def test_an_unknown_version_is_named_with_those_there_are(shelf):
    shelf.shelve(toy_draft())
    with pytest.raises(UnknownNameError, match="no version 7; there are: 1"):
        shelf.promote(NAME, 7, "wish", NOW)


def test_rollback_returns_to_the_previous_champion_and_is_recorded(shelf):
    for reason in ("first", "better"):
        shelf.promote(NAME, shelf.shelve(toy_draft()), reason, NOW)
    champion = shelf.rollback(NAME, NOW + timedelta(hours=1))
    assert (champion.version, champion.previous, champion.reason) == (1, 2, "rolled back from version 2")
    assert shelf.champion(NAME) == champion
    assert [(d.kind, d.version, d.promoted) for d in shelf.decisions(NAME)] == [("rollback", 1, True)]


def test_a_rollback_is_undone_by_another(shelf):
    for reason in ("first", "better"):
        shelf.promote(NAME, shelf.shelve(toy_draft()), reason, NOW)
    shelf.rollback(NAME, NOW)
    assert shelf.rollback(NAME, NOW).version == 2


def test_without_a_previous_champion_there_is_nothing_to_roll_back_to(shelf):
    shelf.promote(NAME, shelf.shelve(toy_draft()), "first", NOW)
    with pytest.raises(UsageError, match="no previous champion"):
        shelf.rollback(NAME, NOW)


def test_decisions_are_kept_in_order_also_the_refused_ones(shelf):
    made = [decision(1), decision(2, "refresh", promoted=False), decision(2, "manual")]
    for one in made:
        shelf.record_decision(NAME, one)
    assert shelf.decisions(NAME) == made


@pytest.mark.parametrize("name", ["..", "price.BTC-USDT.1h/../../etc", "/etc", "price.BTC-USDT.1h/1"])
def test_a_name_that_is_a_path_is_refused(shelf, name):
    for call in (shelf.versions, shelf.champion, shelf.decisions):
        with pytest.raises(UsageError, match="model name"):
            call(name)


def test_folders_of_somebody_else_are_no_models(shelf):
    shelf.shelve(toy_draft())
    (shelf.root / "lost+found" / "1").mkdir(parents=True)
    assert shelf.names() == [NAME]


def test_a_pointer_that_is_not_readable_is_named(shelf):
    shelf.promote(NAME, shelf.shelve(toy_draft()), "first", NOW)
    (shelf.root / NAME / "champion.json").write_text('{"version":')
    with pytest.raises(StoreError, match=r"champion\.json: not a readable champion"):
        shelf.champion(NAME)


def test_a_full_disk_is_one_clear_line_and_leaves_the_shelf_as_it_was(shelf, monkeypatch):
    shelf.promote(NAME, shelf.shelve(toy_draft()), "first", NOW)

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("make_us_rich.registry.artifact.write_atomically", full)
    monkeypatch.setattr("make_us_rich.registry.shelf.write_atomically", full)
    with pytest.raises(StoreError, match="No space left on device"):
        shelf.shelve(toy_draft())
    with pytest.raises(StoreError, match="No space left on device"):
        shelf.record_decision(NAME, decision(1))
    assert (shelf.versions(NAME), shelf.champion(NAME).version) == ([1], 1)


def test_a_root_that_is_a_file_is_one_clear_line(tmp_path):
    (tmp_path / "shelf").write_text("in the way")
    with pytest.raises(StoreError):
        open_shelf(tmp_path / "shelf", "replay").shelve(toy_draft())


SHELVER = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from make_us_rich.forecasting.kinds import open_shelf
    from make_us_rich.registry.shelf import Decision
    from make_us_rich.testing.artifacts import toy_draft

    name, now = "price.BTC-USDT.1h", datetime(2024, 3, 1, tzinfo=UTC)
    shelf, draft, rounds = open_shelf(Path(sys.argv[1]), "replay"), toy_draft(), int(sys.argv[2])
    print("ready", flush=True)
    for _ in range(rounds):
        version = shelf.shelve(draft)
        decision = Decision(at=now, version=version, kind="refresh", promoted=True, reasons=("better",))
        shelf.record_decision(name, decision)
        shelf.promote(name, version, "better", now)
"""


def start_shelver(shelf, rounds):
    command = [sys.executable, "-c", textwrap.dedent(SHELVER), str(shelf.root), str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_never_get_the_same_version(shelf):
    with start_shelver(shelf, rounds=5) as one, start_shelver(shelf, rounds=5) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    assert shelf.versions(NAME) == list(range(1, 11))
    assert sorted(made.version for made in shelf.decisions(NAME)) == list(range(1, 11))


@pytest.mark.slow
def test_a_shelver_killed_at_any_moment_leaves_a_whole_shelf(shelf):
    for kill in range(6):
        with start_shelver(shelf, rounds=1000) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.02 + 0.017 * kill)
            process.send_signal(signal.SIGKILL)
        versions = shelf.versions(NAME)
        assert versions == list(range(1, len(versions) + 1))
        for version in versions:
            load_artifact(shelf.folder(NAME, version), "replay", PRICE_ARTIFACT)
        shelf.decisions(NAME)
        if (champion := shelf.champion(NAME)) is not None:
            assert champion.version in versions
    assert shelf.shelve(toy_draft(model=ToyPriceModel(spread=0.02))) == len(versions) + 1
    assert not list((shelf.root / NAME).glob(".incoming-*"))
