import pytest

from make_us_rich.errors import UsageError
from make_us_rich.journal.notes import CandleNote, note_candles, read_notes
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.journal.reading import recorded_forecasts
from make_us_rich.journal.record import record_forecasts
from make_us_rich.models.quantiles import HORIZONS
from make_us_rich.registry.model_name import ModelName
from trial_journal import HOUR, NAME, START, closes_of, forecast_at, play

BTC = ModelName.parse(NAME)


def all_rows(journal, limit, **query):
    rows, cursor = [], None
    while True:
        page = read_predictions(journal, PredictionQuery(**query), limit, cursor)
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return rows


def test_pages_hold_every_row_once_newest_first(journal):
    play(journal, closes_of(5))
    rows = all_rows(journal, limit=7)
    assert len(rows) == 5 * 18
    assert rows == all_rows(journal, limit=1000)
    assert [row.cutoff for row in rows] == sorted((row.cutoff for row in rows), reverse=True)


def test_rows_written_meanwhile_move_no_other(journal):
    play(journal, closes_of(3))
    first = read_predictions(journal, PredictionQuery(), 20)
    record_forecasts(journal, [forecast_at(START + 9 * HOUR, 100.0)], START)
    second = read_predictions(journal, PredictionQuery(), 20, first.next_cursor)
    assert not {(r.cutoff, r.horizon, r.forecaster) for r in first.rows} & {
        (r.cutoff, r.horizon, r.forecaster) for r in second.rows
    }
    assert second.rows[0].cutoff == START + HOUR


def test_filters_leave_what_was_asked_for(journal):
    play(journal, closes_of(6))
    rows = all_rows(
        journal, 50, names=(NAME,), forecaster="served", horizon=2, since=START + HOUR, until=START + 5 * HOUR
    )
    assert [(row.cutoff - START) // HOUR for row in rows] == [4, 3, 2, 1]
    assert [row.scored_at is not None for row in rows] == [False, True, True, True]
    assert all_rows(journal, 50, is_scored=False, horizon=1)[0].cutoff == START + 5 * HOUR
    assert {row.actual is None for row in all_rows(journal, 50, is_scored=True)} == {False}
    assert all_rows(journal, 50, names=("price.ETH-USDT.1h",)) == []


@pytest.mark.parametrize("cursor", ["x", "", "bm9uc2Vuc2U", "ÿ", "MjAyNC0wMS0wMVQwMDowMDowMHwx"])
def test_a_cursor_of_somebody_else_is_refused(journal, cursor):
    with pytest.raises(UsageError, match="next_cursor"):
        read_predictions(journal, PredictionQuery(), 5, cursor)


def recorded(journal, cutoff, version=3):
    return recorded_forecasts(journal, [(BTC, cutoff, version)]).get(BTC)


def test_what_was_served_comes_back_as_it_was(journal):
    made = forecast_at(START, 100.0)
    record_forecasts(journal, [made], START)
    found = recorded(journal, START)
    assert (found.name, found.version, found.last_close) == (BTC, 3, 100.0)
    assert [step.quantiles for step in found.steps] == [step.quantiles for step in made.steps]
    assert {step.served_by for step in found.steps} == {"lstm"}
    assert recorded(journal, START, version=4) is None
    assert recorded(journal, START + HOUR) is None


def test_of_a_forecast_written_late_only_the_horizons_ahead_come_back(journal):
    record_forecasts(journal, [forecast_at(START, 100.0)], START + HOUR)
    assert [step.horizon for step in recorded(journal, START).steps] == list(HORIZONS[1:])


def test_a_finding_about_a_candle_is_noted_once(journal):
    note = CandleNote("binance BTC/USDT 1h", START, "revised", "close 100 → 101; the stored one stays")
    note_candles(journal, [note], START + HOUR)
    note_candles(journal, [note], START + 2 * HOUR)
    assert read_notes(journal, "binance BTC/USDT 1h") == [note]
    assert read_notes(journal, "binance ETH/USDT 1h") == []


def test_a_source_with_a_long_name_can_be_noted_too(journal):
    series = f"{'replay' * 40} BTC/USDT 1h"
    note_candles(journal, [CandleNote(series, START, "late", "it came late " * 40)], START + HOUR)
    assert [note.kind for note in read_notes(journal, series)] == ["late"]
