import re
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from make_us_rich.database.base import Base
from make_us_rich.database.engine import open_database
from make_us_rich.database.journal_tables import (
    APPEND_ONLY,
    candle_notes,
    drift_verdicts,
    forecasts,
    outcomes,
)
from make_us_rich.database.schema import create_if_absent
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.journal.journal import append_missing
from make_us_rich.journal.outcome import closes_as_actuals, due_questions, narrowest_interval, score_due
from make_us_rich.journal.record import record_sheets
from make_us_rich.journal.sheet import PERSISTENCE, SERVED, VOLATILITY, Entry, Sheet
from make_us_rich.models.forecast import HORIZONS
from trial_journal import HOUR, NAME, START, closes_of, contents, counts, play, sheet_at, trial

CLOSES = closes_of(30)
ACTUAL = closes_as_actuals(CLOSES)


def outcome_rows(journal):
    query = select(forecasts, outcomes).join_from(forecasts, outcomes).order_by(forecasts.c.id)
    with journal.database.read() as session:
        return session.execute(query).all()


def test_every_closed_candle_is_written_once_with_its_yardsticks(journal):
    sheet = sheet_at(START, 100.0)
    assert record_sheets(journal, [sheet], START) == 3 * len(HORIZONS)
    assert record_sheets(journal, [sheet], START) == 0
    assert counts(journal) == (18, 0, 18)


def test_what_is_written_stays_whatever_is_said_later(journal):
    record_sheets(journal, [sheet_at(START, 100.0)], START)
    before = contents(journal)
    record_sheets(journal, [sheet_at(START, 250.0, version=9)], START)
    assert contents(journal) == before


def test_a_forecast_whose_target_has_come_is_none_any_more(journal):
    assert record_sheets(journal, [sheet_at(START, 100.0)], START + 4 * HOUR) == 3 * 3
    with journal.database.read() as session:
        assert set(session.scalars(select(forecasts.c.horizon))) == {8, 12, 24}


@pytest.mark.parametrize("change", ["UPDATE {} SET market = 'x'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["forecasts", "outcomes"])
def test_the_database_itself_refuses_changes(journal, table, change):
    play(journal, closes_of(3))
    statement = change.format(table).replace("market = 'x'", "loss = 0") if table == "outcomes" else change
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), journal.database.write() as session:
        session.execute(text(statement.format(table)))
    assert counts(journal) == (54, 9, 45)


KEYS = {
    "forecasts": "market, name, cutoff, horizon, forecaster",
    "outcomes": "forecast_id",
    "candle_notes": "market, series, open_time, kind, detail",
    "drift_verdicts": "market, name, horizon, week",
}
SAID = {
    "forecasts": ("last_close", "last_close + 1"),
    "outcomes": ("loss", "loss + 1"),
    "candle_notes": ("noted_at", "(SELECT max(recorded_at) FROM forecasts)"),
    "drift_verdicts": ("reason", "'another'"),
}


@pytest.fixture
def full(journal):
    """A journal with rows in each table that only grows."""
    play(journal, closes_of(3))
    note = {"series": NAME, "open_time": START, "kind": "late", "detail": "", "noted_at": START}
    verdict = {"horizon": 1, "week": START, "version": 3, "state": "fine", "reason": "", "judged_at": START}
    with journal.database.write() as session:
        for table, row in ((candle_notes, note), (drift_verdicts, {"name": NAME, **verdict})):
            append_missing(session, table, [{"market": journal.market, **row}] * 2)
    return journal


def rows_of(journal, table):
    with journal.database.read() as session:
        return sorted(map(tuple, session.execute(text(f"SELECT * FROM {table}"))), key=str)


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def altered(table, *, without_id=False):
    """The columns of a table, and the same with something else said in one of them."""
    said, other = SAID[table]
    names = [column.name for column in Base.metadata.tables[table].c]
    if without_id:
        names = [name for name in names if name != "id"]
    return ", ".join(names), ", ".join(other if name == said else name for name in names)


@on_sqlite
@pytest.mark.parametrize("without_id", [False, True])
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_nothing_written_can_be_replaced_on_sqlite(full, table, without_id):
    before = rows_of(full, table)
    names, other = altered(table, without_id=without_id)
    replace = f"INSERT OR REPLACE INTO {table} ({names}) SELECT {other} FROM {table}"
    if not without_id and "id" in Base.metadata.tables[table].c:
        with pytest.raises(DBAPIError, match=f"{table} is append-only"), full.database.write() as session:
            session.execute(text(replace))
    else:
        with full.database.write() as session:
            session.execute(text(replace))
    assert len(before) > 0
    assert rows_of(full, table) == before


@on_sqlite
def test_a_hidden_row_number_replaces_nothing_either(full):
    names, _ = altered("drift_verdicts")
    other = names.replace("horizon", "horizon + 1")
    replace = (
        f"INSERT OR REPLACE INTO drift_verdicts (rowid, {names}) SELECT rowid, {other} FROM drift_verdicts"
    )
    with pytest.raises(DBAPIError, match="append-only"), full.database.write() as session:
        session.execute(text(replace))
    assert len(rows_of(full, "drift_verdicts")) == 1


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_an_insert_that_would_update_changes_nothing(full, table):
    before = rows_of(full, table)
    (names, other), said = altered(table, without_id=True), SAID[table][0]
    upsert = (
        f"INSERT INTO {table} ({names}) SELECT {other} FROM {table} WHERE true "
        f"ON CONFLICT ({KEYS[table]}) DO UPDATE SET {said} = excluded.{said}"
    )
    if full.database.is_sqlite:
        with full.database.write() as session:
            session.execute(text(upsert))
    else:
        with pytest.raises(DBAPIError, match=f"{table} is append-only"), full.database.write() as session:
            session.execute(text(upsert))
    assert rows_of(full, table) == before


@on_postgresql
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_no_table_of_the_record_can_be_emptied_on_postgresql(full, table):
    before = rows_of(full, table)
    with pytest.raises(DBAPIError, match="is append-only"), full.database.write() as session:
        session.execute(text(f"TRUNCATE {table} CASCADE"))
    assert rows_of(full, table) == before


def test_of_many_rows_at_once_the_new_ones_are_written_and_returned(journal):
    assert record_sheets(journal, [sheet_at(START + HOUR, 100.0)], START) == 18
    sheets = [sheet_at(START + n * HOUR, 100.0) for n in range(3)]
    assert record_sheets(journal, sheets, START) == 36
    assert counts(journal) == (54, 0, 54)


@on_sqlite
def test_whether_a_row_is_there_is_asked_of_an_index(journal):
    with journal.database.read() as session:
        triggers = session.scalars(text("SELECT sql FROM sqlite_master WHERE name LIKE '%no_replace%'")).all()
        for trigger in triggers:
            question = re.search(r"EXISTS \((.*)\) BEGIN", trigger)[1].replace("NEW.", ":")
            values = dict.fromkeys(re.findall(r":(\w+)", question), 1)
            plan = session.execute(text(f"EXPLAIN QUERY PLAN {question}"), values).all()
            assert all(step.detail.startswith("SEARCH") for step in plan), plan
    assert len(triggers) == 7


def test_every_table_of_the_record_has_its_trigger(journal):
    query = "SELECT DISTINCT event_object_table FROM information_schema.triggers"
    if journal.database.is_sqlite:
        query = "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'"
    with journal.database.read() as session:
        assert set(session.scalars(text(query))) == set(APPEND_ONLY)


def test_a_forecast_is_scored_once_when_its_candle_has_closed(journal):
    record_sheets(journal, [sheet_at(START, CLOSES[START])], START)
    assert score_due(journal, NAME, ACTUAL, START + HOUR / 2) == []
    (score,) = score_due(journal, NAME, ACTUAL, START + HOUR)
    assert (score.name, score.horizon, score.target_time) == (NAME, 1, START + HOUR)
    assert score_due(journal, NAME, ACTUAL, START + HOUR) == []
    assert [score.horizon for score in score_due(journal, NAME, ACTUAL, START + 4 * HOUR)] == [2, 4]
    assert counts(journal) == (18, 9, 9)


def test_losses_are_those_of_paper(journal):
    flat = (100.0,) * 13
    up = (110.0,) * 13
    target = START + HOUR
    entries = (
        Entry(SERVED, 1, target, "lstm", 1, up),
        Entry(PERSISTENCE, 1, target, PERSISTENCE, quantiles=flat),
    )
    record_sheets(journal, [Sheet(NAME, START, 100.0, "0" * 64, entries)], START)
    (score,) = score_due(journal, NAME, lambda _: 110.0, target)
    assert score.loss == pytest.approx(0.0)
    # every level is missed from below by ln 1.1 and costs level · ln 1.1; the levels average 0.5
    assert score.baseline_loss == pytest.approx(0.5 * np.log(1.1))
    rows = outcome_rows(journal)
    assert [row.error for row in rows] == [0.0, 10.0]
    assert [row.below for row in rows] == [0, 13]
    assert [row.interval for row in rows] == [20, 100]


@pytest.mark.parametrize(
    ("actual", "interval"), [(0.0, 95), (1.0, 90), (5.5, 20), (11.0, 90), (11.5, 95), (-1.0, 100)]
)
def test_the_narrowest_interval_that_held_the_close_is_named(actual, interval):
    assert narrowest_interval(np.arange(13.0), actual) == interval


def test_all_three_are_scored_with_the_quantile_loss_of_the_log_return(journal):
    play(journal, CLOSES)
    rows = outcome_rows(journal)
    assert {row.forecaster for row in rows} == {SERVED, PERSISTENCE, VOLATILITY}
    for row in rows[::7]:
        quantiles = np.array([getattr(row, f"q{level:03d}") for level in (25, 50, 100, 200, 250, 400, 500)])
        assert row.actual == CLOSES[row.target_time]
        assert row.error == pytest.approx(row.actual - quantiles[-1])
        whole = np.log(np.array([row[name] for name in _columns(row)]) / row.last_close)
        assert row.loss == pytest.approx(
            float(quantile_loss(whole, np.asarray(np.log(row.actual / row.last_close))))
        )


def _columns(row):
    return [index for index, name in enumerate(row._fields) if name.startswith("q") and name[1:].isdigit()]


def test_a_target_whose_candle_is_missing_waits_for_it(journal):
    record_sheets(journal, [sheet_at(START, 100.0)], START)
    without = {moment: close for moment, close in CLOSES.items() if moment != START + HOUR}
    scored = score_due(journal, NAME, closes_as_actuals(without), START + 2 * HOUR)
    assert [score.horizon for score in scored] == [2]
    assert [one.horizon for one in due_questions(journal, NAME, START + 2 * HOUR)] == [1]
    late = score_due(journal, NAME, ACTUAL, START + 9 * HOUR)
    assert [score.horizon for score in late] == [1, 4, 8]


def test_a_missing_yardstick_is_written_as_missing_and_never_scored(journal):
    spreads = {SERVED: 0.01, PERSISTENCE: 0.012, VOLATILITY: None}
    play(journal, CLOSES, spreads=spreads)
    with journal.database.read() as session:
        missing = session.execute(select(forecasts).where(forecasts.c.missing.is_not(None))).all()
    assert {(row.forecaster, row.missing, row.q500) for row in missing} == {
        (VOLATILITY, "nothing was shelved", None)
    }
    assert {row.forecaster for row in outcome_rows(journal)} == {SERVED, PERSISTENCE}


def test_another_name_and_another_market_stay_untouched(journal):
    record_sheets(journal, [sheet_at(START, 100.0, name="price.ETH-USDT.1h")], START)
    record_sheets(trial(journal.database, "live"), [sheet_at(START, 100.0)], START)
    assert score_due(journal, NAME, ACTUAL, START + 9 * HOUR) == []


def test_a_trend_is_scored_by_its_brier_score(journal):
    name, target = "trend-up.SOL-USDT.1d", START + timedelta(days=10)
    entries = (
        Entry(SERVED, 10, target, "forest", 2, probability=0.8),
        Entry("random_walk", 10, target, "random_walk", probability=0.4),
    )
    record_sheets(journal, [Sheet(name, START, 100.0, "0" * 64, entries, "sma-change/10/10/0.05")], START)
    (question,) = due_questions(journal, name, target)
    assert question.event == "sma-change/10/10/0.05"
    (score,) = score_due(journal, name, lambda _: 1.0, target)
    assert (score.loss, score.baseline_loss) == (pytest.approx(0.04), pytest.approx(0.36))


Action = st.tuples(st.sampled_from(["record", "score"]), st.integers(0, 11))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(Action, max_size=25))
def test_any_order_of_recording_and_scoring_comes_to_the_same_rows(actions, tmp_path_factory):
    whole, disturbed = (_fresh(tmp_path_factory) for _ in range(2))
    closes = dict(list(CLOSES.items())[:12])
    play(whole, closes)
    moments = list(closes)
    reached = -1
    for action, index in actions:
        # a record is made when its candle closes; whatever is said again later changes nothing
        now = moments[max(reached, 0)]
        if action == "record" and index <= reached + 1:
            reached = max(reached, index)
            now = moments[reached]
            record_sheets(disturbed, [sheet_at(moments[index], closes[moments[index]])], moments[index])
        elif action == "score":
            known = {moment: close for moment, close in closes.items() if moment <= now}
            score_due(disturbed, NAME, closes_as_actuals(known), now)
    play(disturbed, closes)
    assert contents(disturbed) == contents(whole)
    for journal in (whole, disturbed):
        journal.database.close()


def _fresh(tmp_path_factory):
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('journal') / 'desk.db'}")
    create_if_absent(database)
    return trial(database)
