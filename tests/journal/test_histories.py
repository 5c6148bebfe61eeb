import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from make_us_rich.database.engine import open_database
from make_us_rich.database.journal_tables import APPEND_ONLY
from make_us_rich.database.schema import create_if_absent
from make_us_rich.journal.histories import (
    begin_history,
    count_forecasts,
    drop_histories,
    knows_later,
    list_histories,
    old_histories,
    open_history,
)
from make_us_rich.journal.notes import CandleNote, note_candles
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from trial_journal import HOUR, NAME, START, closes_of, contents, play, trial

NOW = START + timedelta(days=400)
ALL = (*APPEND_ONLY, "pending_forecasts", "weekly_scores")


def fill(database, market, history):
    """Three hours of a history, a note and a verdict among them."""
    journal = trial(database, market, history)
    play(journal, closes_of(3))
    note_candles(journal, [CandleNote("somewhere BTC/USDT 1h", START, "late", "late")], START)
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO drift_verdicts "
                "(market, history, name, horizon, week, version, state, reason, judged_at) "
                "SELECT market, history, name, 1, min(cutoff), 3, 'fine', '', min(cutoff) FROM forecasts "
                "WHERE market = :market AND history = :history GROUP BY market, history, name"
            ),
            {"market": market, "history": history},
        )
    return journal


def sizes(database):
    with database.read() as session:
        return {name: session.scalar(text(f"SELECT count(*) FROM {name}")) for name in ALL}


@pytest.fixture
def begun(database):
    """Two histories of a replay and the live one, each with the same rows."""
    open_history(database, "live", START, NOW)
    open_history(database, "replay", START, NOW)
    begin_history(database, "replay", START, NOW)
    for market, history in (("live", 1), ("replay", 1), ("replay", 2)):
        fill(database, market, history)
    return database


def test_a_market_has_a_history_as_soon_as_it_is_asked_for_one(database):
    first = open_history(database, "replay", START, NOW)
    assert (first.number, first.began_at, first.started_at) == (1, START, NOW)
    assert open_history(database, "replay", START + HOUR, NOW + HOUR) == first
    assert list_histories(database, "simulated") == []


def test_of_several_that_ask_at_once_all_are_given_the_same(database):
    found, start = [], threading.Barrier(4)

    def ask():
        start.wait(timeout=30)
        found.append(open_history(database, "replay", START, NOW))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [one.number for one in found] == [1] * 4
    assert len(list_histories(database, "replay")) == 1


def test_a_replay_that_begins_anew_is_another_history_with_nothing_in_it(database):
    first = open_history(database, "replay", START, NOW)
    rows = contents(fill(database, "replay", first.number))
    second = begin_history(database, "replay", START + HOUR, NOW + HOUR)
    assert second.number == 2
    assert open_history(database, "replay", START, NOW) == second
    journal = trial(database, "replay", second.number)
    assert read_predictions(journal, PredictionQuery(), 10).rows == ()
    assert contents(trial(database)) == rows


def test_live_never_begins_anew(database):
    open_history(database, "live", START, NOW)
    with pytest.raises(ValueError, match="one history"):
        begin_history(database, "live", START, NOW)


def test_a_history_knows_what_was_forecast_in_it(database):
    first = open_history(database, "replay", START, NOW)
    fill(database, "replay", 1)
    assert knows_later(database, first, START + HOUR)
    assert not knows_later(database, first, START + 2 * HOUR)
    assert count_forecasts(database, first) == 54


def test_only_what_is_old_and_not_in_use_may_be_dropped(database):
    begin_history(database, "replay", START, NOW)
    begin_history(database, "replay", START, NOW + HOUR)
    begin_history(database, "replay", START, NOW)
    assert [one.number for one in old_histories(database, "replay", NOW + HOUR)] == [1]
    assert [one.number for one in old_histories(database, "replay", NOW + 9 * HOUR)] == [1, 2]
    open_history(database, "live", START, NOW)
    assert old_histories(database, "live", NOW + 9 * HOUR) == []


def test_a_dropped_history_is_gone_and_all_others_stay_as_they_are(begun):
    before = sizes(begun)
    live, second = contents(trial(begun, "live")), contents(trial(begun, "replay", 2))
    (dropped,) = drop_histories(begun, old_histories(begun, "replay", NOW + HOUR), NOW + HOUR)
    assert (dropped.number, dropped.dropped_at) == (1, NOW + HOUR)
    assert sizes(begun) == {name: count * 2 // 3 for name, count in before.items()}
    assert read_predictions(trial(begun, "replay", 1), PredictionQuery(), 10).rows == ()
    for journal, rows in ((trial(begun, "live"), live), (trial(begun, "replay", 2), second)):
        assert len(read_predictions(journal, PredictionQuery(), 100).rows) == 54
        assert set(rows[0]) <= set(contents(journal)[0])
    assert old_histories(begun, "replay", NOW + HOUR) == []
    assert begin_history(begun, "replay", START, NOW).number == 3


def test_neither_the_history_in_use_nor_that_of_live_can_be_dropped(begun):
    before = sizes(begun)
    for market in ("live", "replay"):
        with pytest.raises(ValueError, match=r"stays|in use"):
            drop_histories(begun, [open_history(begun, market, START, NOW)], NOW)
    assert sizes(begun) == before


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_nothing_can_be_deleted_unless_its_history_was_dropped(begun, table):
    before = sizes(begun)
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), begun.write() as session:
        session.execute(text(f"DELETE FROM {table}"))
    drop_histories(begun, old_histories(begun, "replay", NOW + HOUR), NOW)
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), begun.write() as session:
        session.execute(text(f"DELETE FROM {table}"))
    assert sizes(begun)[table] == before[table] * 2 // 3


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_stands_in_a_dropped_history_cannot_be_changed_either(begun, table):
    with begun.write() as session:
        session.execute(text("UPDATE histories SET dropped_at = started_at WHERE market = 'replay'"))
    column = {"forecasts": "last_close", "outcomes": "loss"}.get(table, "version")
    column = "kind" if table == "candle_notes" else column
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), begun.write() as session:
        session.execute(text(f"UPDATE {table} SET {column} = {column}"))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE histories SET dropped_at = started_at WHERE market = 'live'",
        "UPDATE histories SET market = 'replay', number = 9, dropped_at = started_at WHERE market = 'live'",
        "UPDATE histories SET number = 9 WHERE market = 'replay' AND number = 1",
        "UPDATE histories SET began_at = started_at, dropped_at = started_at WHERE number = 2",
        "DELETE FROM histories WHERE market = 'replay' AND number = 1",
        "INSERT INTO histories (market, number, began_at, started_at) "  # noqa: ISC004
        "SELECT market, 9, began_at, began_at FROM histories WHERE market = 'live'",
    ],
)
def test_a_history_itself_can_only_be_marked_as_dropped(begun, change):
    before = [list_histories(begun, market) for market in ("live", "replay")]
    with pytest.raises(DBAPIError), begun.write() as session:
        session.execute(text(change))
    assert [list_histories(begun, market) for market in ("live", "replay")] == before


def test_a_dropped_history_does_not_come_back(begun):
    drop_histories(begun, old_histories(begun, "replay", NOW + HOUR), NOW)
    with pytest.raises(DBAPIError, match="append-only"), begun.write() as session:
        session.execute(text("UPDATE histories SET dropped_at = NULL WHERE number = 1"))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["begin", "open", "record", "drop"]), max_size=12))
def test_whatever_is_begun_and_dropped_the_rows_are_those_of_the_histories_that_stay(steps, tmp_path_factory):
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('journal') / 'desk.db'}")
    create_if_absent(database)
    written = {}
    for step in steps:
        if step == "begin":
            begin_history(database, "replay", START, NOW)
        elif step == "drop":
            for one in drop_histories(database, old_histories(database, "replay", NOW + HOUR), NOW):
                written.pop(one.number, None)
        else:
            number = open_history(database, "replay", START, NOW).number
            if step == "record":
                play(trial(database, "replay", number), closes_of(2))
                written[number] = 36
    known = list_histories(database, "replay")
    assert [one.number for one in known] == list(range(1, len(known) + 1))
    assert {one.number: count_forecasts(database, one) for one in known if one.number in written} == written
    assert sizes(database)["forecasts"] == sum(written.values())
    database.close()


def test_forecasts_of_an_unknown_history_are_kept_like_any_other(database):
    fill(database, "replay", 7)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text("DELETE FROM forecasts"))
    assert NAME in {
        row.name for row in read_predictions(trial(database, "replay", 7), PredictionQuery(), 1).rows
    }


def test_a_journal_of_another_history_is_another_journal(database):
    journal = fill(database, "replay", 1)
    assert read_predictions(replace(journal, history=2), PredictionQuery(), 5).rows == ()
