from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import event, select, text

from make_us_rich.database import engine
from make_us_rich.database.engine import database_url, open_database
from make_us_rich.database.tables import User
from make_us_rich.errors import StoreError, UsageError
from make_us_rich.settings import Settings

NOON = datetime(2024, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def person(name="ada", created_at=NOON):
    return User(name=name, role="member", created_at=created_at)


def test_a_moment_comes_back_aware_and_in_utc(database):
    with database.write() as session:
        session.add(person(created_at=NOON.astimezone(timezone(timedelta(hours=5)))))
    with database.read() as session:
        stored = session.scalars(select(User)).one().created_at
    assert (stored, stored.tzinfo) == (NOON, UTC)


def test_a_moment_without_zone_is_refused(database):
    with pytest.raises(Exception, match="has no time zone"), database.write() as session:
        session.add(person(created_at=NOON.replace(tzinfo=None)))


def _add_and_fail(session):
    session.add(person())
    session.flush()
    raise ZeroDivisionError


def test_a_block_that_fails_leaves_nothing(database):
    with pytest.raises(ZeroDivisionError), database.write() as session:
        _add_and_fail(session)
    with database.read() as session:
        assert session.scalars(select(User)).all() == []


def test_a_reader_does_not_wait_for_a_writer(database):
    with database.write() as writer:
        writer.add(person())
        writer.flush()
        with database.read() as reader:
            assert reader.scalars(select(User)).all() == []


def test_sqlite_writes_ahead_and_keeps_references(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'new folder' / 'desk.db'}")
    with database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()


def test_a_new_file_may_be_read_by_its_owner_only(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'desk.db'}")
    with database.write_connection() as connection:
        connection.exec_driver_sql("CREATE TABLE things (id INTEGER)")
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    database.close()


def test_the_default_is_a_file_in_the_home(tmp_path):
    url = database_url(Settings(home=tmp_path / "100% mine"))
    assert open_database(url).label == str(tmp_path / "100% mine" / "desk.db")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_transaction_of_sqlite_begins_without_a_statement_of_its_own(database):
    said = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    with database.read() as session:
        session.scalar(text("SELECT 1"))
    assert said == ["SELECT 1"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_writer_that_waited_too_long_is_one_line(database, database_url, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    other = open_database(database_url)
    with database.write() as writer:
        writer.add(person())
        writer.flush()
        with pytest.raises(StoreError, match="database is locked; see that it runs"), other.write() as late:
            late.scalar(text("SELECT 1"))
    other.close()


def test_a_database_that_is_away_is_one_line_without_the_password():
    database = open_database("postgresql://desk:sesame@127.0.0.1:1/desk")
    with pytest.raises(StoreError, match="see that it runs") as refusal, database.read() as session:
        session.execute(text("SELECT 1"))
    assert "sesame" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("url", ["nonsense", "mysql://somewhere/desk", "sqlite://", "sqlite:///:memory:"])
def test_an_address_of_something_else_is_wrong_usage(url):
    with pytest.raises(UsageError, match="MUR_DATABASE_URL"):
        open_database(url)
