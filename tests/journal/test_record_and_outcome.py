import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from make_us_rich.database.base import Base
from make_us_rich.database.engine import open_database
from make_us_rich.database.journal_tables import (
    APPEND_ONLY,
    candle_notes,
    drift_verdicts,
    forecasts,
    outcomes,
    pending_forecasts,
)
from make_us_rich.database.schema import create_if_absent
from make_us_rich.database.tables import User
from make_us_rich.database.upsert import insert_missing
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.forecasting.forecast import SERVED, Forecast, ForecastStep
from make_us_rich.forecasting.price.forecast import PERSISTENCE, VOLATILITY
from make_us_rich.journal.outcome import narrowest_interval, score_due
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.journal.reading import recorded_forecasts
from make_us_rich.journal.record import record_forecasts
from make_us_rich.journal.track_record import RecordQuery, read_track_record
from make_us_rich.market.candle import CANDLE_SCHEMA
from make_us_rich.models.quantiles import HORIZONS
from make_us_rich.registry.model_name import ModelName
from trial_journal import (
    HOUR,
    NAME,
    START,
    closes_of,
    contents,
    counts,
    forecast_at,
    known,
    play,
    score,
    trial,
)
from trial_people import add_people

BTC = ModelName.parse(NAME)
CLOSES = closes_of(30)


def outcome_rows(journal):
    query = select(forecasts, outcomes).join_from(forecasts, outcomes).order_by(forecasts.c.id)
    with journal.database.read() as session:
        return session.execute(query).all()


def test_every_closed_candle_is_written_once_with_its_yardsticks(journal):
    made = forecast_at(START, 100.0)
    assert record_forecasts(journal, [made], START) == 3 * len(HORIZONS)
    assert record_forecasts(journal, [made], START) == 0
    assert counts(journal) == (18, 0, 18)


def test_what_is_written_stays_whatever_is_said_later(journal):
    record_forecasts(journal, [forecast_at(START, 100.0)], START)
    before = contents(journal)
    record_forecasts(journal, [forecast_at(START, 250.0)], START)
    assert contents(journal) == before


def test_a_later_version_is_written_down_beside_the_first_and_does_not_count(journal):
    record_forecasts(journal, [forecast_at(START, CLOSES[START])], START)
    scored = score(journal, CLOSES, START + HOUR)
    assert (
        record_forecasts(journal, [forecast_at(START, 250.0, version=9)], START + HOUR) == len(HORIZONS) - 1
    )
    with journal.database.read() as session:
        said = session.execute(
            select(forecasts.c.version, forecasts.c.counted)
            .where(forecasts.c.forecaster == SERVED)
            .order_by(forecasts.c.horizon, forecasts.c.id)
        ).all()
    assert said == [(3, True), *[(3, True), (9, False)] * (len(HORIZONS) - 1)]
    rows = score(journal, CLOSES, START + 24 * HOUR)
    assert len(scored + rows) == len(HORIZONS)
    assert {row.version for row in outcome_rows(journal)} == {3, None}


def test_of_versions_that_speak_in_one_breath_the_first_counts(journal):
    made = [forecast_at(START, 100.0, version=version, horizons=(1,)) for version in (5, 4, 5)]
    assert record_forecasts(journal, made, START) == 4
    with journal.database.read() as session:
        said = session.execute(select(forecasts.c.version, forecasts.c.counted).order_by(forecasts.c.id))
        assert [tuple(row) for row in said if row.version] == [(5, True), (4, False)]


def test_two_questions_at_one_cutoff_are_two_forecasts_and_both_count(journal):
    target = START + HOUR
    for asked, probability in (("above 80", 0.5), ("above 90", 0.25)):
        plain = forecast_at(START, 100.0, version=1, horizons=(1,))
        served = (replace(plain.steps[0], quantiles=None, probability=probability),)
        beside = {PERSISTENCE: (replace(served[0], served_by=PERSISTENCE, version=None, probability=0.4),)}
        one = replace(plain, steps=served, yardsticks=beside, question=asked)
        record_forecasts(journal, [one], START)
    scores = score(journal, {target: 1.0}, target)
    assert sorted(one.loss for one in scores) == [pytest.approx(0.25), pytest.approx(0.5625)]


def test_histories_of_a_market_share_nothing(journal):
    second = replace(journal, history=2)
    for one in (journal, second):
        assert record_forecasts(one, [forecast_at(START, CLOSES[START])], START) == 18
    assert len(score(journal, CLOSES, START + HOUR)) == 1
    assert len(score(second, CLOSES, START + HOUR)) == 1
    assert [one.n for one in read_track_record(second, RecordQuery(horizon=1))] == [1]


def test_what_has_an_owner_is_in_no_public_answer(journal):
    owner = add_people_and_find(journal.database)
    record_forecasts(journal, [replace(forecast_at(START, CLOSES[START]), owner=owner)], START)
    score(journal, CLOSES, START + HOUR)
    assert read_track_record(journal, RecordQuery()) == []
    assert read_predictions(journal, PredictionQuery(), 100).rows == ()
    assert [one.n for one in read_track_record(journal, RecordQuery(horizon=1, asker=owner))] == [1]
    assert len(read_predictions(journal, PredictionQuery(asker=owner), 100).rows) == 18
    assert read_predictions(journal, PredictionQuery(asker=owner + 1), 100).rows == ()


def test_recording_one_forecast_takes_three_statements_and_reading_it_one(journal):
    with statements_of(journal.database) as said:
        record_forecasts(journal, [forecast_at(START, 100.0)], START)
    begun = [" ".join(statement.split("(")[0].split()[:3]) for statement in said]
    assert [one for one in begun if "pg_advisory" not in one] == [
        "SELECT forecasts.name, forecasts.cutoff,",
        "INSERT INTO forecasts",
        "INSERT INTO pending_forecasts",
    ]
    with statements_of(journal.database) as said:
        recorded_forecasts(journal, [(BTC, START, 3)])
    assert len(said) == 1


@contextmanager
def statements_of(database):
    said = []

    def note(connection, cursor, statement, *_):
        said.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def add_people_and_find(database):
    add_people(database)
    with database.read() as session:
        return session.scalar(select(User.id).where(User.name == "ben"))


def test_a_forecast_whose_target_time_has_come_is_not_written(journal):
    assert record_forecasts(journal, [forecast_at(START, 100.0)], START + 4 * HOUR) == 3 * 3
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
    "forecasts": "market, history, name, cutoff, horizon, question, forecaster, version",
    "outcomes": "forecast_id",
    "candle_notes": "market, history, series, open_time, kind, detail",
    "drift_verdicts": "market, history, name, horizon, week",
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
            insert_missing(session, table, [{"market": journal.market, "history": 1, **row}] * 2)
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
    assert record_forecasts(journal, [forecast_at(START + HOUR, 100.0)], START) == 18
    made = [forecast_at(START + n * HOUR, 100.0) for n in range(3)]
    assert record_forecasts(journal, made, START) == 36
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
    assert len(triggers) == 9


def test_every_table_of_the_record_has_its_trigger(journal):
    query = "SELECT DISTINCT event_object_table FROM information_schema.triggers"
    if journal.database.is_sqlite:
        query = "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'"
    with journal.database.read() as session:
        assert set(session.scalars(text(query))) == {*APPEND_ONLY, "histories"}


def test_a_forecast_is_scored_once_when_its_candle_has_closed(journal):
    record_forecasts(journal, [forecast_at(START, CLOSES[START])], START)
    assert score(journal, CLOSES, START + HOUR / 2) == []
    (scored,) = score(journal, CLOSES, START + HOUR)
    assert (scored.name, scored.horizon, scored.target_time) == (NAME, 1, START + HOUR)
    assert score(journal, CLOSES, START + HOUR) == []
    assert [one.horizon for one in score(journal, CLOSES, START + 4 * HOUR)] == [2, 4]
    assert counts(journal) == (18, 9, 9)


def test_losses_are_those_of_paper(journal):
    flat = (100.0,) * 13
    up = (110.0,) * 13
    target = START + HOUR
    served = ForecastStep(1, target, "lstm", version=1, quantiles=up)
    beside = {PERSISTENCE: (ForecastStep(1, target, PERSISTENCE, quantiles=flat),)}
    made = Forecast(BTC, "replay", START, 100.0, (served,), 1, "0" * 64, yardsticks=beside)
    record_forecasts(journal, [made], START)
    (scored,) = score(journal, {target: 110.0}, target)
    assert scored.loss == pytest.approx(0.0)
    # every level is missed from below by ln 1.1 and costs level · ln 1.1; the levels average 0.5
    assert scored.baseline_loss == pytest.approx(0.5 * np.log(1.1))
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
    record_forecasts(journal, [forecast_at(START, 100.0)], START)
    without = {moment: close for moment, close in CLOSES.items() if moment != START + HOUR}
    scored = score(journal, without, START + 2 * HOUR)
    assert [one.horizon for one in scored] == [2]
    assert waiting(journal, START + 2 * HOUR) == {1}
    late = score(journal, CLOSES, START + 9 * HOUR)
    assert [one.horizon for one in late] == [1, 4, 8]


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
    record_forecasts(journal, [forecast_at(START, 100.0, name="price.ETH-USDT.1h")], START)
    record_forecasts(trial(journal.database, "live"), [forecast_at(START, 100.0)], START)
    assert score(journal, CLOSES, START + 9 * HOUR) == []


def test_a_trend_is_scored_by_its_brier_score(journal):
    name, target = ModelName.parse("trend-up.SOL-USDT.1d"), START + timedelta(days=10)
    served = ForecastStep(10, target, "forest", version=2, probability=0.8)
    walk = {"random_walk": (ForecastStep(10, target, "random_walk", probability=0.4),)}
    question = "sma-change/10/10/0.05"
    made = Forecast(name, "replay", START, 100.0, (served,), 2, "0" * 64, question, walk)
    record_forecasts(journal, [made], START)
    days = rising_days(until=target)
    (scored,) = score_due(journal, [name], lambda *_: known(days), target)
    assert (scored.loss, scored.baseline_loss) == (pytest.approx(0.04), pytest.approx(0.36))
    assert scored.is_covered is None


def rising_days(until):
    """Sixty days of candles, each a percent higher than the one before."""
    times = pl.datetime_range(until - timedelta(days=60), until, "1d", closed="left", eager=True)
    close = 100 * 1.01 ** pl.int_range(len(times), eager=True)
    columns = dict.fromkeys(("open", "high", "low", "close", "volume"), close)
    return pl.DataFrame({"open_time": times, **columns}).cast(CANDLE_SCHEMA)


def waiting(journal, now):
    """The horizons of served forecasts that are due and wait for their candles."""
    query = select(forecasts.c.horizon).join_from(pending_forecasts, forecasts)
    with journal.database.read() as session:
        return set(session.scalars(query.where(forecasts.c.target_time <= now)))


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
            record_forecasts(disturbed, [forecast_at(moments[index], closes[moments[index]])], moments[index])
        elif action == "score":
            known = {moment: close for moment, close in closes.items() if moment <= now}
            score(disturbed, known, now)
    play(disturbed, closes)
    assert contents(disturbed) == contents(whole)
    for journal in (whole, disturbed):
        journal.database.close()


def _fresh(tmp_path_factory):
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('journal') / 'desk.db'}")
    create_if_absent(database)
    return trial(database)
