"""A journal in a database, on SQLite and on PostgreSQL."""

import pytest

from trial_journal import trial


@pytest.fixture
def journal(database):
    return trial(database)
