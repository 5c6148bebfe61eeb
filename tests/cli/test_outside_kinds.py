"""Kinds of forecast from packages of other people live in the house like ours, from training to record."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from make_us_rich.accounts.tokens import TokenRequest, create_token
from make_us_rich.database.tables import User
from make_us_rich.desk.accounts import opened_access
from make_us_rich.forecasting.board import Board
from make_us_rich.journal.histories import open_history
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.operations.home_database import opened_database
from make_us_rich.operations.workplace import Workplace, standing_clock
from make_us_rich.serving.app import create_app
from make_us_rich.testing.artifacts import toy_draft
from trial_people import add_people

pytestmark = pytest.mark.usefixtures("outside")
START = datetime(2024, 3, 4, tzinfo=UTC)  # a Monday
DAYS_BEFORE, HOURS_PLAYED = 120, 30
RANGE, BASKET = "range.BTC-USDT.1h", "basket.savings.1h"


@pytest.fixture
def recording(tmp_path):
    """Hours of BTC and ETH whose wide candles come in rows, so that the last one tells of the next."""
    for number, pair in enumerate(("BTC-USDT", "ETH-USDT")):
        folder = tmp_path / "recorded" / pair
        folder.mkdir(parents=True)
        sticky_hours(number).write_parquet(folder / "1h.parquet")
    return tmp_path / "recorded"


def sticky_hours(seed):
    """Hours that stay wide, or narrow, nine times in ten."""
    numbers = np.random.default_rng(seed)
    n = 24 * DAYS_BEFORE + HOURS_PLAYED
    is_wide = np.cumsum(numbers.random(n) < 0.1) % 2 == 1
    is_wide[-HOURS_PLAYED:] = np.arange(HOURS_PLAYED) // 6 % 2  # both while the desk plays
    half_range = np.where(is_wide, 0.008, 0.002)
    close = 100 * np.exp(np.cumsum(half_range * numbers.uniform(-0.9, 0.9, n)))
    before = np.concatenate([[100.0], close[:-1]])
    first = START - timedelta(days=DAYS_BEFORE)
    times = [first + timedelta(hours=hour) for hour in range(n)]
    frame = {
        "open_time": times,
        "open": before,
        "high": np.maximum(before, close) * (1 + half_range),
        "low": np.minimum(before, close) * (1 - half_range),
        "close": close,
        "volume": np.ones(n),
    }
    return pl.DataFrame(frame).with_columns(pl.col("open_time").cast(pl.Datetime("ms", "UTC")))


@pytest.fixture
def played(outside, mur, settings, recording):
    """A range model is trained and the desk plays on from there; ben has a basket."""
    with opened_database(settings) as database, add_people(database).read() as session:
        ben = session.scalar(select(User.id).where(User.name == "ben"))
    from toy_kinds.basket_kind import OWNERS

    OWNERS["savings"] = ben
    trained = mur(
        "train", "BTC/USDT", "--preset", "range", "--source", f"replay:{recording}",
        "--until", START.isoformat(), "--json",
    )  # fmt: skip
    assert trained.status == 0, trained.err
    shelf = Workplace(settings, "replay").shelf()
    for pair in ("BTC/USDT", "ETH/USDT"):  # lest the desk trains ours, which takes long
        name = f"price.{pair.replace('/', '-')}.1h"
        shelf.shelve(toy_draft("replay", changes={"data_end": START, "symbol": pair, "name": name}))
        shelf.promote(name, 1, "a toy for a test", START)
    end = mur(
        "up",
        "--replay-from",
        str(recording),
        "--start",
        START.isoformat(),
        "--speed",
        "max",
        "--exit-at-end",
        "--port",
        "0",
    )
    assert end.status == 0, end.err
    return trained.record


@pytest.fixture
def ask(settings):
    """Return a function that asks the API over the home, as nobody or as one of its people."""
    place = Workplace(settings, "replay")
    view = place.view(standing_clock(place, datetime.now(UTC)))
    with opened_access(settings.model_copy(update={"public_read": True})) as access:
        history = open_history(access.database, "replay", view.clock.now(), access.now())
        journal = Journal(access.database, "replay", history.number)
        board = Board(view, JournalRecords(journal))
        board.refresh()
        app = create_app(board, access, journal)
        with TestClient(app, raise_server_exceptions=False) as client:

            def ask(path, who=None):
                headers = {}
                if who is not None:
                    made = create_token(access.database, who, TokenRequest("test", ("read",)), access.now())
                    headers["Authorization"] = f"Bearer {made[1]}"
                return client.get(path, headers=headers)

            yield ask


def test_a_kind_from_outside_is_trained_promoted_served_recorded_and_scored(played, ask):
    assert (played["name"], played["version"], played["promoted"]) == (RANGE, 1, True)
    others = {one["name"]: one for one in ask("/v1/forecasts").json()["others"]}
    (step,) = others[RANGE]["steps"]
    assert (step["served_by"], step["is_baseline"], others[RANGE]["recorded"]) == ("range", False, True)
    assert others[RANGE]["question"] == "range/0.01"
    assert "past_share" in json.dumps(step), "no forecast without its yardstick"
    one = ask("/v1/forecasts/BTC-USDT?kind=range").json()
    assert one["steps"] == [step]

    rows = ask("/v1/predictions?kind=range&symbol=BTC-USDT&limit=1000").json()["predictions"]
    assert {row["forecaster"] for row in rows} == {"served", "past_share"}
    assert len(rows) == 2 * (HOURS_PLAYED + 1)
    scored = [row for row in rows if row["loss"] is not None]
    assert len(scored) == 2 * HOURS_PLAYED
    assert {row["actual"] for row in scored} == {0.0, 1.0}

    (record,) = ask("/v1/track-record?kind=range&symbol=BTC-USDT").json()["records"]
    assert (record["name"], record["n"]) == (RANGE, HOURS_PLAYED)
    assert record["skill"]["skill"] > 0


def test_a_derived_name_is_seen_by_its_owner_and_by_nobody_else(played, ask):
    for who in (None, "ada"):
        listed = ask("/v1/forecasts", who).json()
        assert BASKET not in {one["name"] for one in listed["others"]}
        assert BASKET not in json.dumps(listed)
        hidden = ask("/v1/forecasts/savings?kind=basket", who)
        unknown = ask("/v1/forecasts/wealth?kind=basket", who)
        assert hidden.status_code == unknown.status_code == 404
        assert hidden.json()["detail"].replace("savings", "wealth") == unknown.json()["detail"]
        for path in ("/v1/predictions?kind=basket", "/v1/track-record?kind=basket"):
            answer = ask(path, who).json()
            assert answer.get("predictions", answer.get("records")) == []
        assert "basket" not in ask("/v1/predictions?limit=1000", who).text
        assert "basket" not in ask("/v1/track-record", who).text
    own = {one["name"]: one for one in ask("/v1/forecasts", "ben").json()["others"]}[BASKET]
    assert own == ask("/v1/forecasts/savings?kind=basket", "ben").json()
    assert own["steps"][0]["quantiles"]["0.05"] < own["last_close"] < own["steps"][0]["quantiles"]["0.95"]
    rows = ask("/v1/predictions?kind=basket&limit=1000", "ben").json()["predictions"]
    assert sum(row["loss"] is not None for row in rows) == 2 * HOURS_PLAYED
    (record,) = ask("/v1/track-record?kind=basket", "ben").json()["records"]
    assert (record["name"], record["n"]) == (BASKET, HOURS_PLAYED)


def test_an_answer_to_somebody_is_kept_by_no_proxy_even_where_everybody_may_read(played, ask):
    own, public = ask("/v1/forecasts", "ben"), ask("/v1/forecasts")
    assert own.headers["etag"] != public.headers["etag"]
    assert "authorization" in own.headers["vary"].lower()
    assert "authorization" in public.headers["vary"].lower()


def test_the_journal_is_asked_by_subject(played, ask):
    (record,) = ask("/v1/track-record?kind=basket&symbol=savings", "ben").json()["records"]
    assert record["name"] == BASKET
    assert ask("/v1/predictions?kind=basket&symbol=savings").json()["predictions"] == []
