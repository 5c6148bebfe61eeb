from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from make_us_rich.database.engine import open_database
from make_us_rich.database.journal_tables import APPEND_ONLY, forecasts, outcomes
from make_us_rich.database.schema import create_if_absent
from make_us_rich.evaluation.metrics import quantile_loss
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
