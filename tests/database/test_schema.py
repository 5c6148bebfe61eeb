import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from make_us_rich.database.base import Base
from make_us_rich.database.engine import open_database
from make_us_rich.database.schema import (
    create_if_absent,
    current_revision,
    downgrade,
    head_revision,
    require_current,
    upgrade,
)
from make_us_rich.errors import StoreError


def tables(database):
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_exactly_the_tables_the_code_declares(database):
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert tables(database) == set(Base.metadata.tables)


def test_downgrading_leaves_nothing_and_upgrading_brings_all_back(database):
    downgrade(database)
    assert tables(database) == set()
    assert current_revision(database) is None
    upgrade(database)
    assert tables(database) == set(Base.metadata.tables)
    require_current(database)


def test_a_database_is_made_once(empty_database):
    assert current_revision(empty_database) is None
    assert create_if_absent(empty_database)
    assert not create_if_absent(empty_database)
    assert current_revision(empty_database) == head_revision()


def test_of_several_that_start_at_once_one_makes_the_tables(database_url):
    made, start = [], threading.Barrier(4)

    def create():
        database = open_database(database_url)
        start.wait(timeout=30)
        made.append(create_if_absent(database))
        database.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(made) == [False, False, False, True]


def test_older_tables_are_refused_with_the_command(database):
    downgrade(database)
    with pytest.raises(StoreError, match="run `mur doctor --migrate`"):
        require_current(database)


def test_tables_of_a_newer_version_are_refused(database):
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"newer version.*9999"):
        require_current(database)


def test_what_a_failed_statement_was_about_is_in_no_message(database):
    with pytest.raises(DBAPIError) as failure, database.engine.connect() as connection:
        connection.execute(text("SELECT * FROM nowhere WHERE word = :word"), {"word": "white horses"})
    assert "white horses" not in str(failure.value)
