"""A past that is played twice, on SQLite and on PostgreSQL: the second time it is as new."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from make_us_rich.database.engine import open_database
from make_us_rich.desk.desk import run_desk
from make_us_rich.desk.plan import DeskPlan, check_plan
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.journal.histories import list_histories
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.market.symbol import Symbol
from make_us_rich.models.quantiles import HORIZONS
from make_us_rich.operations.last_started import last_started_market
from make_us_rich.operations.workplace import Workplace
from make_us_rich.testing.artifacts import toy_draft

END = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def home(settings, database_url):
    address = None if database_url.startswith("sqlite") else SecretStr(database_url)
    return settings.model_copy(update={"database_url": address})


@pytest.fixture
def played(home, write_recording):
    """Play the last hours of a recording to its end; a toy model has learned from what came before."""
    folder = write_recording(days=120)
    shelf = Workplace(home, "replay").shelf()
    shelf.shelve(toy_draft("replay", changes={"data_end": END - timedelta(days=9)}))
    shelf.promote("price.BTC-USDT.1h", 1, "a toy for a test", END - timedelta(days=9))

    def play(hours):
        plan = DeskPlan(
            market=None,
            replay_from=folder,
            start=END - timedelta(hours=hours),
            until=None,
            speed=None,
            exit_at_end=True,
            symbols=(Symbol("BTC", "USDT"),),
            host="127.0.0.1",
            port=0,
        )
        return asdict(run_desk(check_plan(plan, home), home, ProgressReport()))

    return play


def rows_of(database, history):
    rows = read_predictions(Journal(database, "replay", history), PredictionQuery(), 1000).rows
    return [(row.cutoff, row.horizon, row.forecaster, row.version, row.quantiles, row.actual) for row in rows]


def test_a_past_that_is_played_again_is_another_history_and_comes_to_the_same(home, played, capsys):
    first = played(6)
    assert "knew what comes after" not in capsys.readouterr().err
    again = played(6)
    said = [line for line in capsys.readouterr().err.splitlines() if "knew what comes after" in line]
    assert len(said) == 1
    assert "history 2 begins" in said[0]
    assert "candles.1" in said[0]
    assert again == first
    assert (first["candles"], first["forecasts"]) == (6, 7 * len(HORIZONS))
    place = Workplace(home, "replay")
    database = place.database()
    assert [one.number for one in list_histories(database, "replay")] == [1, 2]
    assert rows_of(database, 1) == rows_of(database, 2)
    assert place.shelf().champion("price.BTC-USDT.1h").version == 1
    assert last_started_market(home) == "replay"
    database.close()


def test_a_past_that_goes_on_where_it_stood_stays_one_history(home, played, capsys):
    played(6)
    played(0)
    assert "knew what comes after" not in capsys.readouterr().err
    database = open_database(Workplace(home, "replay").database().engine.url)
    assert len(list_histories(database, "replay")) == 1
    database.close()
