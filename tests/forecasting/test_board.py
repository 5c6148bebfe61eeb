import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from make_us_rich.errors import ForecastUnavailableError, NotEnoughHistoryError, UnknownNameError
from make_us_rich.forecasting.board import POLL_SECONDS, Board
from make_us_rich.forecasting.forecast import Forecast, ForecastStep
from make_us_rich.forecasting.kind import Live, Subject
from make_us_rich.forecasting.kind_defaults import KindDefaults
from make_us_rich.forecasting.price import kind as price_kind
from make_us_rich.forecasting.price.kind import PriceKind
from make_us_rich.forecasting.records import NoRecords
from make_us_rich.market.symbol import Symbol
from make_us_rich.registry.model_name import ModelName
from price_desk import SERIES
from trial_desk import BTC, END, HOUR, START, hourly_candles

NAME = ModelName("price", BTC, HOUR)
ETH = Symbol("ETH", "USDT")
TOO_EARLY = Live(9, 0.1, 0.0, 0.2, 0.9, "too early to tell")


class Book(NoRecords):
    """A journal in memory."""

    def __init__(self):
        self.written, self.reasons, self.results, self.asked = [], {}, {}, 0

    def forecasts(self, wanted):
        self.asked += 1
        keys = {(name, cutoff, version) for name, cutoff, version in wanted}
        return {one.name: one for one in self.written if (one.name, one.cutoff, one.version) in keys}

    def broken(self, name, version):
        return self.reasons.get((name, version), {})

    def live(self, name, owner):
        return self.results.get(name, {})


class Savings(KindDefaults):
    """A kind with one name, which belongs to user 7."""

    name = "savings"
    subject = ModelName("savings", "nest-egg-7", HOUR)

    def subjects(self, view):
        yield Subject(self.subject, SERIES, owner=7)

    def horizons(self, models):
        return (24,)

    def forecast(self, subject, cutoff, candles, models):
        step = ForecastStep(24, cutoff + 24 * HOUR.duration, "guess", probability=0.5)
        return Forecast(subject.name, candles.market, cutoff, 1.0, (step,), None, "0" * 64, owner=7)


class Unable(Savings):
    """A kind that can forecast nothing."""

    name = "unable"
    subject = ModelName("unable", "ever", HOUR)

    def forecast(self, subject, cutoff, candles, models):
        raise ForecastUnavailableError(f"{subject.name}: not today")


def with_kinds(*kinds):
    return {kind.name: kind for kind in (PriceKind(), *kinds)}


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def board(desk, book):
    return Board(desk.view, book)


@pytest.fixture
def made(monkeypatch):
    """Notes the name of every price forecast that is computed."""
    names = []
    real = price_kind.price_forecast

    def noting(name, *arguments):
        names.append(name)
        return real(name, *arguments)

    monkeypatch.setattr(price_kind, "price_forecast", noting)
    return names


def close_candle(board, cutoff=END, now=END):
    """Do with a closed candle what the desk does, the journal aside."""
    return board.make(board.ready(SERIES, cutoff), now)


# -- once --------------------------------------------------------------------------------------------


def test_a_forecast_is_computed_once_per_closed_candle(desk, board, made):
    for minute in (1, 20, 59):
        desk.clock.moment = END + timedelta(minutes=minute)
        board.refresh()
        board.compute(NAME)
    assert made == [NAME]
    desk.add_candles(hourly_candles(until=END + HOUR.duration))
    desk.clock.moment = END + HOUR.duration
    board.refresh()
    board.refresh()
    assert made == [NAME, NAME]
    assert board.served(NAME).forecast.cutoff == END + HOUR.duration


def test_a_candle_is_forecast_once_for_the_record_and_the_api(board, book, made):
    (served,) = close_candle(board)
    book.written.append(served.forecast)
    board.recorded([served.forecast])
    board.refresh()
    assert board.compute(NAME).forecast is served.forecast
    assert board.served(NAME).is_recorded
    assert made == [NAME]


def test_what_the_desk_made_and_recorded_is_not_looked_up_in_the_journal(board, book):
    (served,) = close_candle(board)
    board.recorded([served.forecast])
    board.refresh()
    assert book.asked == 0


def test_many_who_ask_at_once_share_one_computation(board, made):
    askers = [threading.Thread(target=board.compute, args=(NAME,)) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert made == [NAME]


def test_while_the_source_is_away_nothing_is_computed_again(desk, board, made):
    for hours in (0, 1, 2, 30):
        desk.clock.moment = END + timedelta(hours=hours)
        board.refresh()
    assert made == [NAME]


def test_a_candle_that_has_not_closed_by_the_clock_is_not_known(desk, board):
    desk.clock.moment = END - timedelta(days=3, minutes=1)
    board.refresh()
    assert board.served(NAME).forecast.cutoff == END - timedelta(days=3, hours=1)


def test_every_series_is_loaded_once_for_all_names_that_read_it(desk, monkeypatch):
    loads = []
    real = desk.store.load
    monkeypatch.setattr(desk.store, "load", lambda series, *span: loads.append(series) or real(series, *span))
    board = Board(desk.view, kinds=with_kinds(Savings()))
    assert len(close_candle(board)) == 2
    assert loads == [SERIES]


# -- targets that pass -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "ahead"), [(0, [1, 2, 4, 8, 12, 24]), (4, [8, 12, 24]), (20, [24])]
)  # a target that is now has passed
def test_a_forecast_that_is_computed_says_nothing_about_targets_that_have_passed(desk, board, hours, ahead):
    desk.clock.moment = END + timedelta(hours=hours)
    assert [step.horizon for step in board.compute(NAME).forecast.steps] == ahead


def test_where_every_target_has_passed_nothing_is_computed_and_one_line_says_why(desk, board, made):
    desk.clock.moment = END + timedelta(hours=24)
    with pytest.raises(
        ForecastUnavailableError,
        match=r"^BTC/USDT 1h: the newest candle closed 24 hours ago, so every target has passed; .*`mur",
    ):
        board.compute(NAME)
    board.refresh()
    assert made == []


# -- models ------------------------------------------------------------------------------------------


def test_a_promotion_answers_at_once_for_the_same_candle(desk, board, made):
    board.refresh()
    desk.promote()
    board.refresh()
    assert made == [NAME, NAME]
    assert board.served(NAME).forecast.version == 1


def test_a_promotion_is_loaded_once_for_the_record_and_the_api(desk, board, monkeypatch):
    loads = []
    real = desk.shelf.load
    monkeypatch.setattr(desk.shelf, "load", lambda *which: loads.append(which) or real(*which))
    desk.promote()
    loads.clear()  # that of the promotion itself, which verifies
    close_candle(board)
    board.refresh()
    board.compute(NAME)
    assert loads == [(str(NAME), 1)]


def test_a_horizon_at_which_the_model_has_broken_is_answered_by_the_yardstick(desk, board, book):
    book.reasons[NAME, desk.promote()] = {4: "coverage 70.0%"}
    steps = {step.horizon: step for step in board.compute(NAME).forecast.steps}
    assert (steps[4].served_by, steps[4].is_baseline, steps[4].remark) == (
        "persistence",
        True,
        "coverage 70.0%",
    )
    assert {step.served_by for horizon, step in steps.items() if horizon != 4} == {"toy"}


# -- records -----------------------------------------------------------------------------------------


@pytest.fixture
def written(desk, book):
    """What another process wrote down at the newest candle, with a median nobody would compute."""
    made = Board(desk.view).compute(NAME).forecast
    steps = tuple(replace(step, quantiles=tuple(range(1, 14))) for step in made.steps)
    book.written.append(replace(made, steps=steps))
    return book.written[0]


def test_what_was_written_down_is_what_is_served(board, written, made):
    served = board.compute(NAME)
    assert (served.is_recorded, served.forecast) == (True, written)
    assert made == []


def test_a_record_stays_whole_when_its_targets_pass(desk, board, written):
    desk.clock.moment = END + timedelta(hours=20)
    assert board.compute(NAME).forecast == written


@pytest.mark.usefixtures("written")
def test_a_record_of_another_version_is_not_shown(desk, board):
    board.refresh()
    assert board.served(NAME).is_recorded
    version = desk.promote()
    board.refresh()
    served = board.served(NAME)
    assert (served.forecast.version, served.is_recorded) == (version, False)


def test_a_record_that_is_not_whole_is_not_shown(board, book, written):
    book.written = [replace(written, steps=written.steps[:5])]
    assert not board.compute(NAME).is_recorded


def test_a_record_that_comes_later_is_taken_up_for_the_same_candle(board, book, written):
    book.written = []
    board.refresh()
    assert not board.served(NAME).is_recorded
    book.written = [written]
    board.refresh()
    assert board.served(NAME).forecast == written


def test_how_past_forecasts_turned_out_stands_beside_what_is_served(board, book):
    book.results = {NAME: {1: TOO_EARLY}}
    assert board.compute(NAME).live == {1: TOO_EARLY}


# -- names -------------------------------------------------------------------------------------------


def test_every_stored_series_is_forecast(desk, board):
    desk.add_candles(hourly_candles(seed=1), ETH)
    board.refresh()
    assert [str(name) for name in board.all_served()] == ["price.BTC-USDT.1h", "price.ETH-USDT.1h"]


def test_a_series_that_cannot_be_forecast_does_not_keep_the_others_from_it(desk, board):
    desk.add_candles(hourly_candles(END - timedelta(days=3), END), ETH)
    board.refresh()
    assert list(board.all_served()) == [NAME]
    assert [str(name.symbol) for name in board.problems()] == ["ETH/USDT"]
    with pytest.raises(NotEnoughHistoryError):
        board.compute(ModelName("price", ETH, HOUR))


def test_of_two_names_on_one_series_the_broken_one_does_not_stop_the_other(desk):
    board = Board(desk.view, kinds=with_kinds(Unable()))
    assert [one.forecast.name for one in close_candle(board)] == [NAME]
    assert [str(error) for error in board.problems().values()] == ["unable.ever.1h: not today"]


def test_a_series_that_is_not_readable_does_not_keep_the_others_from_a_forecast(desk, board):
    desk.add_candles(hourly_candles(seed=1), ETH)
    board.refresh()
    for part in (desk.root / "candles").rglob("ETH-USDT/*/*.parquet"):
        part.write_bytes(b"broken")
    later = END + HOUR.duration
    desk.add_candles(hourly_candles(until=later))
    desk.clock.moment = later
    board.refresh()
    assert board.served(NAME).forecast.cutoff == later
    assert [str(name.symbol) for name in board.problems()] == ["ETH/USDT"]


def test_a_series_is_forecast_once_its_candles_suffice(empty_desk):
    empty_desk.add_candles(hourly_candles(END - timedelta(days=3), END))
    board = Board(empty_desk.view)
    board.refresh()
    empty_desk.add_candles(hourly_candles(START, END - timedelta(days=3)))
    board.refresh()
    assert board.problems() == {}
    assert board.served(NAME) is not None


def test_an_unknown_series_is_named_with_those_there_are(board):
    with pytest.raises(UnknownNameError, match="ETH/USDT 1h: no candles are stored; there are: BTC/USDT 1h"):
        board.compute(ModelName("price", ETH, HOUR))


def test_the_old_forecast_stays_when_the_store_becomes_unreadable(desk, board):
    board.refresh()
    for part in (desk.root / "candles").rglob("*.parquet"):
        part.write_bytes(b"broken")
    desk.clock.moment = END + timedelta(hours=2)
    board.refresh()
    assert board.served(NAME).forecast.cutoff == END
    assert "not readable" in str(board.problems()[NAME])


def test_a_name_that_belongs_to_somebody_is_known_with_its_owner(desk):
    board = Board(desk.view, kinds=with_kinds(Savings()))
    board.refresh()
    assert board.served(Savings.subject).forecast.owner == 7
    assert (board.owner(Savings.subject), board.owner(NAME)) == (7, None)


def test_forecasts_are_listed_by_kind(desk):
    board = Board(desk.view, kinds=with_kinds(Savings(), Unable()))
    board.refresh()
    assert list(board.all_served({"savings"})) == [Savings.subject]
    assert list(board.all_served()) == [NAME, Savings.subject]
    assert board.problems({"price"}) == {}


# -- by itself ---------------------------------------------------------------------------------------


MEMBERS = ["subjects", "needs", "reads", "horizons", "forecast"]


@pytest.mark.parametrize("method", MEMBERS)
def test_what_a_kind_from_outside_runs_into_stops_no_other(desk, method):
    class Broken(KindDefaults):
        name = "broken"

    def fail(*_):
        raise KeyError("unforeseen")

    setattr(Broken, method, fail)
    kinds = {"broken": Broken(), "price": PriceKind()}
    board = Board(desk.view, kinds=kinds)
    board.refresh()
    assert board.served(NAME) is not None
    ready = board.ready(SERIES, END)
    assert NAME in {one.forecast.name for one in board.make(ready, desk.clock.now())}
    broken = [str(error) for name, error in board.problems().items() if name.kind == "broken"]
    if method in ("forecast", "horizons"):
        assert "its kind failed" in broken[0]


def test_what_was_asked_for_between_loading_and_making_is_not_made_again(desk, monkeypatch):
    board, made = Board(desk.view), []
    real = PriceKind.forecast

    def counted(self, *asked):
        made.append(asked[0].name)
        return real(self, *asked)

    monkeypatch.setattr(PriceKind, "forecast", counted)
    ready = board.ready(SERIES, END)
    board.refresh()
    assert [one.forecast.name for one in board.make(ready, desk.clock.now())] == [NAME]
    assert made == [NAME]


def test_a_name_that_belonged_to_somebody_is_seen_by_nobody_once_it_is_gone(desk):
    class Mine(Savings):
        has_owners = True
        there = True

        def subjects(self, view):
            return super().subjects(view) if self.there else []

    kind = Mine()
    board = Board(desk.view, kinds={"savings": kind})
    board.refresh()
    (name,) = board.all_served()
    assert board.is_seen_by(name, 7)
    assert not board.is_seen_by(name, None)
    kind.there = False
    with pytest.raises(UnknownNameError):
        board.compute(ModelName("savings", "another", HOUR))
    assert not board.is_seen_by(name, None)
    assert not board.is_seen_by(name, 8)


def test_the_thread_outlives_a_round_that_fails(desk, monkeypatch):
    board = Board(desk.view, poll_seconds=0.01)
    failed = threading.Event()
    real = board.refresh

    def failing_once():
        if not failed.is_set():
            failed.set()
            raise RuntimeError("unforeseen")
        real()

    monkeypatch.setattr(board, "refresh", failing_once)
    board.start()
    assert failed.wait(5)
    for _ in range(500):
        if board.served(NAME):
            break
        threading.Event().wait(0.01)
    board.stop()
    assert board.served(NAME) is not None


def test_candles_and_the_shelf_are_looked_at_every_two_seconds_at_least():
    assert POLL_SECONDS <= 2


def test_the_preferred_source_is_taken_where_several_hold_the_same_series(desk):
    desk.add_candles(hourly_candles(seed=7), source="another")
    assert desk.view.find(BTC, HOUR).source == "another"  # the first by name
    preferring = replace(desk.view, preferred_source="recorded")
    assert preferring.find(BTC, HOUR).source == "recorded"
