import pytest
from sqlalchemy import text

from make_us_rich.database.engine import open_database
from make_us_rich.database.schema import downgrade, upgrade

ROW = (
    "INSERT OR REPLACE INTO drift_verdicts (market, name, horizon, week, version, state, reason, judged_at) "
    "VALUES ('replay', 'price', 1, '2024-01-01', 3, :state, '', '2024-01-01')"
)


@pytest.fixture
def older(tmp_path):
    """A database of the version before, with one verdict in it."""
    database = open_database(f"sqlite:///{tmp_path / 'desk.db'}")
    upgrade(database, "0002")
    said(database, "fine")
    yield database
    database.close()


def said(database, state):
    """What stands there after somebody has tried to say it again."""
    with database.write() as session:
        session.execute(text(ROW), {"state": state})
        return session.scalars(text("SELECT state FROM drift_verdicts")).all()


def test_a_database_of_the_version_before_keeps_its_rows_and_has_them_guarded(older):
    upgrade(older, "0003")
    assert said(older, "broken") == ["fine"]


def test_going_back_takes_the_guard_away_and_nothing_else(older):
    upgrade(older, "0003")
    downgrade(older, "0002")
    assert said(older, "broken") == ["broken"]
    upgrade(older, "0003")
    assert said(older, "fine") == ["broken"]
