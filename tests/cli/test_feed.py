from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from make_us_rich.journal.journal import Journal
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import HORIZONS
from make_us_rich.operations.workplace import Workplace

END = datetime(2024, 1, 1, tzinfo=UTC)
BTC, HOUR = Symbol("BTC", "USDT"), Timeframe("1h")


@pytest.fixture
def record_until(tmp_path):
    """Write a recording of 100 days of BTC/USDT hours that ends a number of hours after `END`."""
    folder = tmp_path / "recorded"
    (folder / "BTC-USDT").mkdir(parents=True)
    source = SimulatedSource()

    def write(hours):
        until = END + timedelta(hours=hours)
        candles = pl.concat(source.fetch(BTC, HOUR, END - timedelta(days=100), until))
        candles.write_parquet(folder / "BTC-USDT" / "1h.parquet")
        return f"replay:{folder}"

    return write


def test_each_round_fetches_scores_and_writes_down(mur, settings, record_until):
    first = mur("feed", "--once", "--symbol", "BTC/USDT", "--source", record_until(0), "--json").record
    assert (first["candles"], first["forecasts"], first["scored"]) == (2400, len(HORIZONS), 0)
    again = mur("feed", "--once", "--source", record_until(0), "--json").record
    assert (again["symbols"], again["candles"], again["scored"]) == (["BTC/USDT"], 0, 0)
    later = mur("feed", "--once", "--source", record_until(3), "--json").record
    assert (later["candles"], later["scored"]) == (3, 2)

    database = Workplace(settings, "replay").database()
    rows = read_predictions(Journal(database, "replay"), PredictionQuery(), 1000).rows
    assert len(rows) == 2 * 3 * len(HORIZONS)
    assert {row.cutoff for row in rows} == {END, END + timedelta(hours=3)}
    database.close()


def test_a_round_says_what_it_did(mur, record_until):
    answer = mur("feed", "--once", "--symbol", "BTC/USDT", "--source", record_until(0))
    assert answer.out.splitlines()[1:] == ["candles: 2,400", "forecasts: 6", "scored: 0"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("feed",), "give --once"),
        (("feed", "--once", "--market", "replay"), "--source replay:DIR"),
        (("feed", "--once", "--market", "live", "--source", "simulated"), "leave one out"),
    ],
)
def test_what_cannot_be_fed_is_said_in_one_line(mur, arguments, words):
    answer = mur(*arguments)
    assert answer.status == 2
    assert words in answer.line
