"""Schema 0004 on a database of the version before, with rows in every table of its journal."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from make_us_rich.database.schema import downgrade, require_current, upgrade

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
OUTCOMES = {2: 0.5, 11: 0.25}
TABLES = (
    "forecasts", "outcomes", "pending_forecasts", "weekly_scores", "candle_notes", "drift_verdicts"
)  # fmt: skip


def moment(database, hours=0):
    at = MONDAY + hours * HOUR
    return at.strftime("%Y-%m-%d %H:%M:%S.000000") if database.is_sqlite else at


def add(session, table, **values):
    names = ", ".join(values)
    session.execute(
        text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})"), values
    )


def add_forecast(session, database, row_id, market="replay", hours=0, **said):
    row = {
        "name": "price.BTC-USDT.1h", "horizon": 1, "forecaster": "served", "model": "lstm", "version": 3,
        "last_close": 100.0, "input_hash": "0" * 64, "q500": 100.5,
    }  # fmt: skip
    times = {"cutoff": moment(database, hours), "target_time": moment(database, hours + 1)}
    add(
        session,
        "forecasts",
        id=row_id,
        market=market,
        recorded_at=moment(database, hours),
        **times,
        **(row | said),
    )


@pytest.fixture
def older(empty_database):
    """A database of schema 0003; its forecasts have gaps in their numbers."""
    upgrade(empty_database, "0003")
    with empty_database.write() as session:
        add_forecast(session, empty_database, 2)
        add_forecast(session, empty_database, 5, forecaster="persistence", model="persistence", version=None)
        add_forecast(session, empty_database, 11, market="live", hours=4, question="up/10", probability=0.5)
        for row_id, loss in OUTCOMES.items():
            add(
                session,
                "outcomes",
                forecast_id=row_id,
                actual=101.0,
                error=0.5,
                loss=loss,
                scored_at=moment(empty_database, 6),
            )
        waiting = {"market": "replay", "name": "price.BTC-USDT.1h", "target_time": moment(empty_database, 1)}
        add(session, "pending_forecasts", forecast_id=5, **waiting)
        of_week = {"market": "replay", "name": "price.BTC-USDT.1h", "horizon": 1, "version": 3}
        cutoffs = {name: moment(empty_database) for name in ("week", "first_cutoff", "last_cutoff")}
        counts = {"n": 1, "volatility_n": 0, "covered": 1}
        sums = dict.fromkeys(("loss", "baseline_loss", "volatility_loss", "loss_beside_volatility"), 0.5)
        add(
            session,
            "weekly_scores",
            model="lstm",
            calibration="[]",
            **of_week,
            **cutoffs,
            **counts,
            **sums,
        )
        times = {"open_time": moment(empty_database), "noted_at": moment(empty_database)}
        add(session, "candle_notes", id=7, market="replay", series="BTC", kind="late", detail="", **times)
        times = {"week": moment(empty_database), "judged_at": moment(empty_database)}
        add(session, "drift_verdicts", state="fine", reason="", **of_week, **times)
    return empty_database


def rows_of(database, table):
    with database.read() as session:
        rows = session.execute(text(f"SELECT * FROM {table}")).mappings().all()
    return sorted((dict(row) for row in rows), key=lambda row: str(sorted(row.items(), key=str)))


def everything(database):
    return {table: rows_of(database, table) for table in TABLES}


def test_every_row_keeps_its_number_and_becomes_the_first_history(older):
    before = everything(older)
    upgrade(older)
    require_current(older)
    for table, rows in before.items():
        found = rows_of(older, table)
        assert len(found) == len(rows) > 0
        for row, was in zip(found, rows, strict=True):
            absent = {"question": "", "version": 0}
            expected = {name: absent.get(name) if value is None else value for name, value in was.items()}
            assert {name: row[name] for name in was} == expected
            if table != "outcomes":
                assert row["history"] == 1
    assert {(row["id"], bool(row["counted"]), row["owner"]) for row in rows_of(older, "forecasts")} == {
        (2, True, None), (5, True, None), (11, True, None)
    }  # fmt: skip


def test_each_market_with_rows_has_its_history_begun_at_its_first_cutoff(older):
    upgrade(older)
    found = {row["market"]: row for row in rows_of(older, "histories")}
    assert {market: row["number"] for market, row in found.items()} == {"live": 1, "replay": 1}
    assert str(found["live"]["began_at"])[:19] == "2024-01-01 04:00:00"
    assert {row["dropped_at"] for row in found.values()} == {None}


def test_going_back_and_forth_changes_no_row(older):
    before = everything(older)
    for _ in range(2):
        upgrade(older)
        downgrade(older, "0003")
        assert everything(older) == before
    assert set(inspect(older.engine).get_table_names()).isdisjoint({"histories", "joined_homes"})


def test_references_stay_in_force(older):
    for change in (upgrade, lambda database: downgrade(database, "0003")):
        change(older)
        for child in ("outcomes", "pending_forecasts"):
            (reference,) = inspect(older.engine).get_foreign_keys(child)
            assert (reference["referred_table"], reference["constrained_columns"]) == (
                "forecasts",
                ["forecast_id"],
            )
        with pytest.raises(IntegrityError), older.write() as session:
            add(
                session,
                "outcomes",
                forecast_id=99,
                actual=1.0,
                error=0.0,
                loss=0.0,
                scored_at=moment(older),
            )


@pytest.mark.parametrize("table", ["forecasts", "outcomes", "candle_notes", "drift_verdicts"])
def test_what_is_written_stays_before_and_after_and_on_the_way_back(older, table):
    for change in (lambda _: None, upgrade, lambda database: downgrade(database, "0003")):
        change(older)
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {_column(table)} = {_column(table)}"):
            with pytest.raises(DBAPIError, match=f"{table} is append-only"), older.write() as session:
                session.execute(text(statement))


def _column(table):
    return {"forecasts": "last_close", "outcomes": "loss", "candle_notes": "kind"}.get(table, "version")


def test_the_way_back_keeps_the_history_in_use_and_what_the_older_version_can_hold(older):
    upgrade(older)
    with older.write() as session:
        said = dict.fromkeys(("began_at", "started_at"), moment(older))
        add(session, "histories", market="replay", number=2, **said)
        new = {"history": 2, "counted": True, "question": "", "owner": None}
        add_forecast(session, older, 20, hours=9, **new)
        add_forecast(session, older, 21, hours=9, **(new | {"version": 4, "counted": False}))
        add_forecast(session, older, 22, hours=9, **(new | {"question": "another"}))
        add_forecast(session, older, 23, hours=10, **(new | {"name": "x" * 80}))
    downgrade(older, "0003")
    assert [row["id"] for row in sorted(rows_of(older, "forecasts"), key=lambda row: row["id"])] == [11, 20]
    assert [row["forecast_id"] for row in rows_of(older, "outcomes")] == [11]
    assert rows_of(older, "candle_notes") == rows_of(older, "pending_forecasts") == []


def test_a_key_with_nothing_said_in_it_is_one_key(older):
    upgrade(older)
    same = {"forecaster": "persistence", "history": 1, "counted": True, "question": "", "version": 0}
    with older.write() as session:
        if older.is_sqlite:  # passes over it, as over every row whose key is there
            add_forecast(session, older, 30, **same)
        else:
            with pytest.raises(IntegrityError):
                add_forecast(session, older, 30, **same)
    assert len(rows_of(older, "forecasts")) == 3
