import csv
import io
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from make_us_rich.database.journal_tables import drift_verdicts
from make_us_rich.database.schema import create_if_absent
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.forecast import SERVED
from make_us_rich.forecasting.price.forecast import PERSISTENCE, VOLATILITY
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.notes import CandleNote, note_candles
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.journal.record import record_forecasts
from make_us_rich.journal.track_record import RecordQuery, read_track_record
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.journal_schemas import (
    DriftReportAnswer,
    PredictionListAnswer,
    TrackRecordListAnswer,
)
from trial_desk import BTC, END, HOUR
from trial_journal import NAME, START, closes_of, forecast_at, play

BTC_NAME = ModelName("price", BTC, HOUR)
TICK = timedelta(minutes=1)


@pytest.fixture
def journal(desk):
    create_if_absent(desk.database)
    yield Journal(desk.database, "replay")
    desk.database.close()


@pytest.fixture
def board(desk, journal):
    return Board(desk.view, JournalRecords(journal))


@pytest.fixture
def open_client(desk, journal):
    """A client of an API that starts when it is called, on what the journal holds by then."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(TestClient(desk.app(), raise_server_exceptions=False))


@pytest.fixture
def client(open_client):
    return open_client()


def record(desk, journal):
    """Write down what the desk forecasts, and return that: of yardsticks the service hears nothing."""
    made = Board(desk.view).compute(BTC_NAME).forecast
    record_forecasts(journal, [made], END + TICK)
    return replace(made, yardsticks={})


def test_what_was_written_down_is_what_is_served(desk, journal, board):
    desk.promote()
    written = record(desk, journal)
    served = board.compute(BTC_NAME)
    assert served.is_recorded
    assert served.forecast == written


def test_a_forecast_that_was_written_down_stays_whole_when_its_targets_pass(desk, journal, board):
    written = record(desk, journal)
    desk.clock.moment = END + timedelta(hours=20)
    assert board.compute(BTC_NAME).forecast == written


def test_what_was_written_down_is_answered_after_its_targets_have_passed_up_to_the_limit(
    desk, journal, open_client
):
    record(desk, journal)
    client = open_client()
    client.get("/v1/forecasts/BTC-USDT")
    for hours, status in ((24, 200), (48, 200), (49, 503)):
        desk.clock.moment = END + timedelta(hours=hours)
        assert client.get("/v1/forecasts/BTC-USDT").status_code == status


def test_without_a_record_the_forecast_is_computed_and_says_so(client, board):
    served = board.compute(BTC_NAME)
    assert not served.is_recorded
    assert client.get("/v1/forecasts/BTC-USDT").json()["recorded"] is False


def test_a_record_that_comes_later_is_taken_up_for_the_same_candle(desk, journal, board):
    board.refresh()
    record(desk, journal)
    board.refresh()
    assert board.served(BTC_NAME).is_recorded


def test_a_promotion_counts_at_once_though_another_version_was_written_down(desk, journal, board):
    record(desk, journal)
    board.refresh()
    version = desk.promote()
    board.refresh()
    served = board.served(BTC_NAME)
    assert (served.forecast.version, served.is_recorded) == (version, False)


def test_a_journal_that_is_away_keeps_no_forecast_back(desk):
    board = Board(desk.view, JournalRecords(Journal(desk.database, "replay")))  # without its tables
    assert not board.compute(BTC_NAME).is_recorded


def test_a_broken_horizon_is_answered_by_its_baseline_with_the_reason(desk, journal, open_client):
    version = desk.promote()
    with journal.database.write() as session:
        session.execute(
            drift_verdicts.insert(),
            {
                "market": "replay", "history": 1, "name": NAME, "horizon": 4, "week": END, "version": version,
                "state": "broken", "reason": "coverage 70.0%", "judged_at": END,
            },
        )  # fmt: skip
    client = open_client()
    steps = {step["horizon"]: step for step in client.get("/v1/forecasts/BTC-USDT").json()["steps"]}
    assert (steps[4]["served_by"], steps[4]["is_baseline"]) == ("persistence", True)
    assert "coverage 70.0%" in steps[4]["remark"]
    assert (steps[2]["served_by"], steps[2]["remark"]) == ("toy", None)
    (verdict,) = client.get("/v1/drift/BTC-USDT").json()["verdicts"]
    assert (verdict["horizon"], verdict["state"]) == (4, "broken")


def test_a_forecast_shows_how_those_before_it_turned_out(journal, open_client):
    play(journal, closes_of(48))
    live = open_client().get("/v1/forecasts/BTC-USDT").json()["steps"][0]["live"]
    assert (live["n"], live["verdict"]) == (47, "too early to tell")
    assert live["skill"] is not None


def test_predictions_come_page_by_page(journal, client):
    play(journal, closes_of(6))
    rows, cursor = [], None
    while True:
        parameters = {"limit": 25, "symbol": "BTC-USDT"} | ({"cursor": cursor} if cursor else {})
        page = PredictionListAnswer.model_validate_json(client.get("/v1/predictions", params=parameters).text)
        rows += page.predictions
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(rows) == len({(row.cutoff, row.horizon, row.forecaster) for row in rows}) == 6 * 18


def test_predictions_are_filtered(journal, client):
    play(journal, closes_of(6))
    record_forecasts(journal, [forecast_at(START, 50.0, name="price.ETH-USDT.4h")], START)

    def found(**parameters):
        return client.get("/v1/predictions", params={"limit": 1000, **parameters}).json()["predictions"]

    assert {row["name"] for row in found(symbol="ETH-USDT")} == {"price.ETH-USDT.4h"}
    assert {row["name"] for row in found(timeframe="1h", kind="price")} == {NAME}
    assert found(kind="trend-up") == []
    assert len(found(forecaster="served", horizon=1, timeframe="1h", scored=True)) == 5
    since = (START + timedelta(hours=2)).isoformat()
    assert len(found(forecaster="served", horizon=1, since=since, until="2024-01-01T04:00")) == 2


def test_predictions_as_csv_hold_the_same(journal, client):
    play(journal, closes_of(3))
    answer = client.get("/v1/predictions", params={"format": "csv", "limit": 20})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    told = client.get("/v1/predictions", params={"limit": 20}).json()
    assert answer.headers["x-next-cursor"] == told["next_cursor"]
    for row, same in zip(rows, told["predictions"], strict=True):
        assert row["forecaster"] == same["forecaster"]
        assert float(row["quantile_0.5"]) == same["quantiles"]["0.5"]
        assert row["loss"] == ("" if same["loss"] is None else repr(same["loss"]))


def test_the_track_record_is_that_of_the_journal(journal, client):
    spreads = {SERVED: 0.01, PERSISTENCE: 0.013, VOLATILITY: None}
    play(journal, closes_of(30), spreads=spreads)
    answer = client.get("/v1/track-record", params={"symbol": "BTC-USDT", "horizon": 1})
    (told,) = TrackRecordListAnswer.model_validate_json(answer.text).records
    (known,) = read_track_record(journal, RecordQuery(horizon=1))
    assert (told.n, told.n_apart, told.verdict) == (29, 29, "too early to tell")
    assert told.skill.skill == known.skill.skill
    assert told.volatility_skill.n == 0
    assert told.calibration[0].said == 0.025
    by_model = client.get("/v1/track-record", params={"by": "model", "horizon": 1}).json()["records"]
    assert [(one["model"], one["version"]) for one in by_model] == [("lstm", 3)]


def test_drift_shows_inputs_and_notes_and_is_empty_without_a_model(desk, journal, client):
    note_candles(journal, [CandleNote("recorded BTC/USDT 1h", START, "revised", "it changed")], END)
    report = DriftReportAnswer.model_validate_json(client.get("/v1/drift/BTC-USDT").text)
    assert (report.version, report.inputs, report.verdicts) == (None, (), ())
    assert [note.detail for note in report.notes] == ["it changed"]
    version = desk.promote()
    report = DriftReportAnswer.model_validate_json(client.get("/v1/drift/BTC-USDT").text)
    assert report.version == version
    assert {one.input for one in report.inputs} >= {"return_1", "log_range", "volume_to_its_week"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/predictions?limit=0", 422),
        ("/v1/predictions?cursor=nonsense", 422),
        ("/v1/predictions?symbol=nonsense", 422),
        ("/v1/predictions?timeframe=7h", 422),
        ("/v1/track-record?since=yesterday", 422),
        ("/v1/track-record?by=moon", 422),
        ("/v1/drift/ETH-USDT", 404),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client, path, status):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01"])
def test_the_ends_of_time_are_no_error(client, year):
    for path in ("/v1/predictions", "/v1/track-record"):
        for bound in ("since", "until"):
            assert client.get(path, params={bound: year}).status_code in {200, 422}


def test_without_reading_rights_the_journal_is_shut(desk, journal):
    with TestClient(desk.app(public_read=False)) as client:
        for path in ("/v1/predictions", "/v1/track-record", "/v1/drift/BTC-USDT"):
            assert client.get(path).status_code == 401
