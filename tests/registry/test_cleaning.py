import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from make_us_rich.errors import UnknownNameError
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.registry.cleaning import (
    KEPT_FOR,
    clean_versions,
    removable_versions,
    remove_snapshots,
    unused_snapshots,
)
from make_us_rich.registry.shelf import Champion
from make_us_rich.testing.artifacts import toy_draft

NAME = "price.BTC-USDT.1h"
START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TOY = toy_draft()
DATES = st.integers(0, 400).map(lambda days: START + days * DAY)


def shelve(shelf, trained_at, snapshot="0" * 64):
    reference = TOY.manifest.snapshot.model_copy(update={"hash": snapshot})
    manifest = TOY.manifest.model_copy(update={"trained_at": trained_at, "snapshot": reference})
    return shelf.shelve(type(TOY)(manifest, TOY.payloads))


@pytest.fixture
def history(shelf):
    """Five versions, one every twenty days, the second and then the third promoted."""
    for n in range(5):
        shelve(shelf, START + 20 * n * DAY, snapshot=str(n) * 64)
    for version in (2, 3):
        shelf.promote(NAME, version, "better", START)
    return shelf


def test_old_versions_leave_and_what_is_served_or_served_before_stays(history):
    now = START + 200 * DAY
    removed = clean_versions(history, now, dry_run=False)
    assert [old.version for old in removed] == [1, 4]
    assert removed[0].trained_at == START
    assert removed[0].size_bytes > 1000
    assert history.versions(NAME) == [2, 3, 5]
    assert history.champion(NAME).version == 3
    assert history.rollback(NAME, now).version == 2


def test_a_dry_run_says_the_same_and_removes_nothing(history):
    now = START + 200 * DAY
    planned = clean_versions(history, now, dry_run=True)
    assert history.versions(NAME) == [1, 2, 3, 4, 5]
    assert clean_versions(history, now, dry_run=False) == planned


def test_versions_of_the_past_thirty_days_stay(history):
    fourth = START + 60 * DAY
    assert [old.version for old in clean_versions(history, fourth + KEPT_FOR, dry_run=True)] == [1]
    later = fourth + KEPT_FOR + timedelta(seconds=1)
    assert [old.version for old in clean_versions(history, later, dry_run=True)] == [1, 4]


def test_a_number_that_left_is_not_given_again(history):
    clean_versions(history, START + 900 * DAY, dry_run=False)
    assert shelve(history, START + 900 * DAY) == 6


def test_a_version_that_cannot_be_read_is_left_to_a_person(history):
    (history.folder(NAME, 1) / "manifest.json").write_text("{")
    assert [old.version for old in clean_versions(history, START + 900 * DAY, dry_run=False)] == [4]
    assert 1 in history.versions(NAME)


def test_what_is_pointed_to_cannot_be_removed_by_any_rule(history):
    with pytest.raises(ValueError, match="hold the champion"):
        history.remove_versions(NAME, lambda versions, _: versions)
    assert history.versions(NAME) == [1, 2, 3, 4, 5]


def test_a_cleaning_that_was_killed_leaves_no_half_version(history):
    (history.root / NAME / ".outgoing-1-abcd").mkdir()
    assert history.versions(NAME) == [1, 2, 3, 4, 5]
    shelve(history, START)
    assert not list((history.root / NAME).glob(".outgoing-*"))


def test_a_version_that_leaves_while_it_is_verified_is_not_promoted(history, monkeypatch):
    verify = history.load

    def verify_slowly(name, version):
        artifact = verify(name, version)
        clean_versions(history, START + 900 * DAY, dry_run=False)
        return artifact

    monkeypatch.setattr(history, "load", verify_slowly)
    with pytest.raises(UnknownNameError, match="no version 1"):
        history.promote(NAME, 1, "better", START)
    assert history.champion(NAME).version == 3


@given(
    trained_at=st.lists(DATES).map(lambda dates: dict(enumerate(dates, 1))),
    pointed=st.tuples(st.integers(1, 9), st.none() | st.integers(1, 9)),
    now=DATES,
)
def test_no_history_removes_what_is_pointed_to_or_young_or_newest(trained_at, pointed, now):
    champion = Champion(version=pointed[0], previous=pointed[1], reason="", at=START)
    removed = set(removable_versions(trained_at, champion, now))
    assert removed & {*pointed, max(trained_at, default=0)} == set()
    for version, at in trained_at.items():
        if at >= now - KEPT_FOR:
            assert version not in removed
        elif version not in {*pointed, max(trained_at)}:
            assert version in removed


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("shelve"), st.integers(0, 90)),
        st.tuples(st.just("promote"), st.integers(1, 8)),
        st.tuples(st.just("rollback"), st.just(0)),
        st.tuples(st.just("clean"), st.integers(0, 90)),
    ),
    max_size=12,
)


@effort(max_examples=25)
@given(steps=STEPS)
def test_whatever_happened_the_champion_can_be_served_and_rolled_back(steps):
    with tempfile.TemporaryDirectory() as folder:
        shelf, now = open_shelf(Path(folder), "replay"), START
        shelve(shelf, now)
        shelf.promote(NAME, 1, "first", now)
        for kind, number in steps:
            pointer = shelf.champion(NAME)
            if kind in ("shelve", "clean"):
                now += number * DAY
            if kind == "shelve":
                shelve(shelf, now)
            elif kind == "promote" and number in shelf.versions(NAME):
                shelf.promote(NAME, number, "better", now)
            elif kind == "rollback" and pointer.previous is not None:
                shelf.rollback(NAME, now)
            elif kind == "clean":
                clean_versions(shelf, now, dry_run=False)
                assert shelf.champion(NAME) == pointer
            pointer = shelf.champion(NAME)
            for version in {pointer.version, pointer.previous} - {None}:
                assert shelf.load(NAME, version).manifest.version == version


def test_a_snapshot_leaves_with_the_last_version_that_needs_it(history, tmp_path):
    folder, wall_now = tmp_path / "snapshots", START + 900 * DAY
    folder.mkdir()
    for content_hash in [*(str(n) * 64 for n in range(5)), "f" * 64, "e" * 64]:
        path = folder / f"{content_hash}.parquet"
        path.write_bytes(b"candles")
        age = timedelta(hours=1) if content_hash[0] == "e" else 2 * DAY
        os.utime(path, times=(0, (wall_now - age).timestamp()))
    planned = clean_versions(history, START + 200 * DAY, dry_run=True)
    expected = ["0" * 64, "3" * 64, "f" * 64]
    assert [one.content_hash for one in unused_snapshots(folder, history, planned, wall_now)] == expected
    removed = clean_versions(history, START + 200 * DAY, dry_run=False)
    remove_snapshots(folder, unused_snapshots(folder, history, removed, wall_now))
    assert sorted(path.stem[0] for path in folder.iterdir()) == ["1", "2", "4", "e"]


def test_while_a_version_cannot_be_read_every_snapshot_stays(history, tmp_path):
    (history.folder(NAME, 5) / "manifest.json").write_text("{")
    path = tmp_path / f"{'f' * 64}.parquet"
    path.write_bytes(b"candles")
    assert unused_snapshots(tmp_path, history, [], START + 9_000 * DAY) == []


def test_without_snapshots_there_is_nothing_to_remove(history, tmp_path):
    assert unused_snapshots(tmp_path / "nowhere", history, [], START) == []
