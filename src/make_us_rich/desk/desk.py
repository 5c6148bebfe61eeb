"""The whole desk as one running thing: market, clock, service, training and candles put together."""

import importlib.util
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from make_us_rich.desk.accounts import first_login_line, opened_access
from make_us_rich.desk.candle_work import CandleWork
from make_us_rich.desk.intake import CandleIntake, ClosedCandle, Feed, Round, standing_still
from make_us_rich.desk.jobs import TrainingQueue
from make_us_rich.desk.market_choice import choose_clock, choose_market, choose_symbols
from make_us_rich.desk.past import begin_past
from make_us_rich.desk.plan import TIMEFRAME, DeskPlan
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.retraining import ModelState, TrainingOrder, due
from make_us_rich.desk.spoken import speak
from make_us_rich.desk.summary import DeskSummary, SummaryCounter
from make_us_rich.desk.training import Training, start_training
from make_us_rich.errors import SourceError, StoreError
from make_us_rich.events.bus import Bus
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.price.kind import price_name
from make_us_rich.forecasting.watching import Watch
from make_us_rich.journal.histories import open_history
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.market.clock import Clock
from make_us_rich.market.dates import format_moment
from make_us_rich.operations.history import Span, fetch_span
from make_us_rich.operations.last_started import remember_market
from make_us_rich.operations.workplace import Workplace
from make_us_rich.serving.access import Access
from make_us_rich.serving.app import create_app
from make_us_rich.serving.server import ApiServer, exposure_warning
from make_us_rich.settings import Settings

HISTORY = timedelta(days=730)

_LOOK_SECONDS = 1.0


def run_desk(plan: DeskPlan, settings: Settings, report: ProgressReport) -> DeskSummary:
    """Run until interrupted, or to the end of a past that is played where the plan says so."""
    choice = choose_market(plan, settings)
    report.say(choice.says)
    symbols = choose_symbols(plan, choice.source)
    clock = choose_clock(plan, choice.source, symbols, datetime.now(UTC))
    remember_market(settings, choice.place.market, datetime.now(UTC))
    with opened_access(settings, migrates=True) as access:
        journal = _journal(plan, choice.place, access, clock, report)
        feed = Feed(choice.source, choice.place.store(), symbols, TIMEFRAME)
        desk = Desk(choice.place, feed, clock, report, journal)
        with _serving(desk, access, plan, report):
            _run(desk, plan, clock, report)
    return desk.counter.summary()


def _journal(
    plan: DeskPlan, place: Workplace, access: Access, clock: Clock, report: ProgressReport
) -> Journal:
    start, now = clock.now(), datetime.now(UTC)
    if not plan.is_played():
        return Journal(
            access.database, place.market, open_history(access.database, place.market, start, now).number
        )
    begun = begin_past(place, access.database, start, now)
    if begun.is_anew:
        kept = ", ".join(str(folder) for folder in begun.set_aside)
        report.say(
            f"This desk knew what comes after {format_moment(start)}; history {begun.journal.history} begins"
            + (f", and what it had was set aside as {kept}." if kept else ".")
        )
    return begun.journal


def _run(desk: "Desk", plan: DeskPlan, clock: Clock, report: ProgressReport) -> None:
    stop = threading.Event()
    desk.fetch_history()
    desk.run(stop)
    if not plan.exit_at_end:
        report.say(f"The candles end at {format_moment(clock.now())}; that moment is served until Ctrl-C.")
        stop.wait()


class Desk:
    """What runs by itself in one market: candles in, forecasts out, trainings beside.

    Everything it does is said on its bus; whoever wants to know subscribes there. The API answers from the
    same board, so a model is loaded once and a candle is forecast once.
    """

    def __init__(
        self, place: Workplace, feed: Feed, clock: Clock, report: ProgressReport, journal: Journal
    ) -> None:
        self.bus = Bus()
        self.counter = SummaryCounter(feed.timeframe.name)
        self.counter.listen(self.bus)
        speak(self.bus, report)
        self.journal = journal
        records = JournalRecords(journal)
        view = replace(place.view(clock, feed.source.name), candles=feed.store, database=journal.database)
        self.board = Board(view, records)
        self._place = place
        self._feed = feed
        self._clock = clock
        self._report = report
        self._intake = CandleIntake(feed, clock, journal, self.bus)
        self._work = CandleWork(feed, self.board, journal, records, self.bus)
        self.jobs = TrainingQueue(place.market, self._start_training, self.bus)

    def run(self, stop: threading.Event) -> None:
        """Go from candle to candle until `stop` is set or the clock ends, and cancel what still runs then.

        On the wall clock nothing waits for a training; in a past that is played the clock does, so a training
        begun at one candle counts from the next.
        """
        watch = Watch("trainings", lambda: self.jobs.collect(self._clock.now()), _LOOK_SECONDS)
        if not self._intake.is_played:
            watch.start()
        try:
            for one in self._intake.rounds(stop):
                self._work_off(one)
                self._order_trainings(one.moment, stop)
        finally:
            watch.stop()
            self.jobs.cancel()

    def feed_once(self) -> DeskSummary:
        """Do once what is due at the newest closed candle, trainings apart, and return what that was."""
        self.counter.candles = self.fetch_history()
        self.candles_closed(self._feed.timeframe.floor(self._clock.now()))
        return self.counter.summary()

    def candles_closed(self, moment: datetime) -> None:
        """Work off the candles that end at a moment, once."""
        self._work_off(self._intake.round_at(moment))

    def fetch_history(self) -> int:
        """Fetch two years of candles, as far as they are missing, and return how many came.

        A source that is away is only reported.
        """
        now = self._feed.timeframe.floor(self._clock.now())
        span = Span(now - HISTORY, now)
        added = 0
        with standing_still(self._clock):
            for symbol in self._feed.symbols:
                series = self._feed.series(symbol)
                try:
                    added += fetch_span(self._feed.source, self._feed.store, series, span, self._report).added
                except SourceError as error:
                    self._report.say(str(error))
        return added

    def _work_off(self, one: Round) -> None:
        for candle in one.candles:
            try:
                self._work.work_off(candle, self._now(candle))
            except StoreError as error:
                if self._intake.is_played:
                    raise
                # the database may be back soon; until then this candle has not been worked off
                self._intake.set_back(candle)
                self._report.say(f"{candle.series}: not written in the journal: {error}")

    def _now(self, candle: ClosedCandle) -> datetime:
        # a past is worked off at the moments it had, however fast its clock runs meanwhile
        return candle.moment if self._intake.is_played else self._clock.now()

    def _order_trainings(self, moment: datetime, stop: threading.Event) -> None:
        orders = due(self._states(), self.jobs.tried, moment)
        if not can_train():
            self._refuse(orders)
            return
        self.jobs.order(orders, moment)
        if self._intake.is_played:
            with standing_still(self._clock):
                self.jobs.wait(stop, moment)

    def _states(self) -> list[ModelState]:
        series = [self._feed.series(symbol) for symbol in self._feed.symbols]
        names = [(str(price_name(one)), one) for one in series]
        shelf = self.board.view.shelf
        return [ModelState(name, one.symbol, one.timeframe, len(shelf.versions(name))) for name, one in names]

    def _refuse(self, orders: Sequence[TrainingOrder]) -> None:
        for order in orders:
            self.jobs.tried.add(order.name)
            self._report.say(
                f"{order.name}: no model yet, and the train extra is not installed; the baseline is served."
            )

    def _start_training(self, order: TrainingOrder) -> Training:
        return start_training(self._place, [order.symbol], order.timeframe, order.until)


def can_train() -> bool:
    """Say whether this machine has what training needs."""
    return importlib.util.find_spec("torch") is not None


@contextmanager
def _serving(desk: Desk, access: Access, plan: DeskPlan, report: ProgressReport) -> Iterator[None]:
    def on_ready(address: str) -> None:
        notice = " (SIMULATED)" if desk.board.view.market == "simulated" else ""
        report.say(f"Serving{notice} on {address}: /v1/forecasts for all forecasts, /docs for the whole API.")
        if line := first_login_line(access, address):
            report.say(line)

    warning = exposure_warning(
        plan.host, is_public=access.public_read, is_behind_proxy=bool(access.trusted_proxies)
    )
    if warning:
        report.say(warning)
    server = ApiServer(create_app(desk.board, access, desk.journal), plan.host, plan.port, on_ready)
    thread = threading.Thread(target=server.run, name="api")
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join()
