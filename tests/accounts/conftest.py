"""A database with people in it."""

import pytest

from trial_people import add_people


@pytest.fixture
def people(database):
    return add_people(database)
