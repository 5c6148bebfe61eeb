"""The whole desk as one running thing: market, clock, service, training and loop put together."""

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl

from make_us_rich.desk.accounts import first_login_line, opened_access
from make_us_rich.desk.arrivals import note_revised
from make_us_rich.desk.history import Span, fetch_span
from make_us_rich.desk.loop import ClosedCandleLoop, Duties, Feed, Tally, standing_still
from make_us_rich.desk.market_candles import update_market
from make_us_rich.desk.market_choice import choose_clock, choose_market, choose_symbols
from make_us_rich.desk.moments import format_moment
from make_us_rich.desk.past import set_aside_future
from make_us_rich.desk.plan import TIMEFRAME, DeskPlan
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.recorder import PriceRecorder
from make_us_rich.desk.training import Training, TrainingOutcome, start_training
from make_us_rich.desk.trend_recorder import TrendRecorder
from make_us_rich.desk.workplace import Workplace
from make_us_rich.errors import SourceError
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.outcome import Score
from make_us_rich.market.clock import Clock, ReplayClock
from make_us_rich.market.symbol import Symbol
from make_us_rich.models.forecast import PriceForecast
from make_us_rich.serving.access import Access
from make_us_rich.serving.app import create_app
from make_us_rich.serving.champions import Champions
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.server import ApiServer, exposure_warning
from make_us_rich.settings import Settings

HISTORY = timedelta(days=730)


def run_desk(plan: DeskPlan, settings: Settings, report: ProgressReport) -> Tally:
    """Run until interrupted, or to the end of a past that is played where the plan says so."""
    choice = choose_market(plan, settings)
    report.say(choice.says)
    symbols = choose_symbols(plan, choice.source)
    clock = choose_clock(plan, choice.source, symbols, datetime.now(UTC))
    if plan.is_played() and (earlier := set_aside_future(choice.place, clock.now())):
        report.say(
            f"This desk knew what comes after {format_moment(clock.now())}; it was set aside as {earlier}."
        )
    feed = Feed(choice.source, choice.place.store(), symbols, TIMEFRAME)
    with opened_access(choice.place, migrates=True) as access:
        journal = Journal(access.database, choice.place.market)
        desk = Desk(choice.place, feed, clock, report, journal)
        with _serving(desk.view, access, plan, report):
            _run(desk, plan, clock, report)
    return desk.loop.tally


def _run(desk: "Desk", plan: DeskPlan, clock: Clock, report: ProgressReport) -> None:
    stop = threading.Event()
    desk.fetch_history()
    desk.loop.run(stop)
    if not plan.exit_at_end:
        report.say(f"The candles end at {format_moment(clock.now())}; that moment is served until Ctrl-C.")
        stop.wait()


class Desk:
    """What the loop works with: one market, its candles and models, and someone to tell."""

    def __init__(
        self, place: Workplace, feed: Feed, clock: Clock, report: ProgressReport, journal: Journal
    ) -> None:
        self.view = place.view(clock, feed.source.name)
        self._duties = Duties(
            self._score_due,
            self._make_forecast,
            self._note_revised,
            self._after_candle,
            self._begin_training,
            self._tell,
        )
        self.loop = ClosedCandleLoop(feed, clock, self._duties)
        self._place = place
        self._feed = feed
        self._clock = clock
        self._report = report
        self._champions = Champions(self.view.shelf)
        self._journal = journal
        self._prices = PriceRecorder(journal, self.view)
        self._trends = TrendRecorder(journal, self.view, feed.source)
        self._tried: set[Symbol] = set()

    def feed_once(self) -> Tally:
        """Do once what is due at the newest closed candle, trainings apart, and return what that was."""
        loop = ClosedCandleLoop(self._feed, self._clock, replace(self._duties, begin_training=lambda _: None))
        loop.tally.candles = self.fetch_history()
        loop.candle_closed(self._feed.timeframe.floor(self._clock.now()))
        return loop.tally

    def fetch_history(self) -> int:
        """Fetch two years of candles, as far as they are missing, and return how many came.

        A source that is away is only reported.
        """
        now = self._feed.timeframe.floor(self._clock.now())
        span = Span(now - HISTORY, now)
        added = 0
        with standing_still(self._clock):
            for symbol in self._feed.symbols:
                series = (symbol, self._feed.timeframe)
                try:
                    added += fetch_span(self._feed.source, self._feed.store, series, span, self._report).added
                except SourceError as error:
                    self._report.say(str(error))
        return added

    def _score_due(self, symbol: Symbol, moment: datetime) -> list[Score]:
        return self._prices.score(self._series(symbol), moment, self._now(moment))

    def _make_forecast(self, symbol: Symbol, moment: datetime) -> PriceForecast:
        series = self._series(symbol)
        self._champions.refresh()
        champion = self._champions.artifact(str(series.price_name))
        if champion:
            update_market(self._feed.source, self._feed.store, champion.manifest, moment)
        return self._prices.record(series, champion, moment, self._now(moment))

    def _note_revised(self, symbol: Symbol, arrived: pl.DataFrame) -> None:
        note_revised(self._journal, self.view, self._series(symbol), arrived, self._clock.now())

    def _after_candle(self, moment: datetime) -> None:
        now = self._now(moment)
        for symbol in self._feed.symbols:
            series = self._series(symbol)
            champion = self._champions.artifact(str(series.price_name))
            for verdict in self._prices.judge(series, champion, now):
                if verdict.state in ("watch", "broken"):
                    self._report.say(
                        f"{verdict.name} h={verdict.horizon}: {verdict.state}, {verdict.reason}."
                    )
        self._trends.keep(moment, now)

    def _series(self, symbol: Symbol) -> Series:
        return Series(self._feed.source.name, symbol, self._feed.timeframe)

    def _now(self, moment: datetime) -> datetime:
        # a past is worked off at the moments it had, however fast its clock runs meanwhile
        return moment if isinstance(self._clock, ReplayClock) else self._clock.now()

    def _begin_training(self, moment: datetime) -> Training | None:
        for symbol in self._feed.symbols:
            name = str(self._series(symbol).price_name)
            if symbol in self._tried or self.view.shelf.versions(name):
                continue
            self._tried.add(symbol)
            if importlib.util.find_spec("torch") is None:
                self._report.say(
                    f"{name}: no model yet, and the train extra is not installed; the baseline is served."
                )
                continue
            self._report.say(f"{name}: no model yet; training one, the baseline is served meanwhile.")
            return start_training(self._place, [symbol], self._feed.timeframe, moment)
        return None

    def _tell(self, outcome: TrainingOutcome) -> None:
        fate = "promoted" if outcome.promoted else "not promoted, the baseline stays"
        version = f" version {outcome.version}" if outcome.version else ""
        self._report.say(f"{outcome.name}{version}: {fate}.")
        for reason in outcome.reasons:
            self._report.say(f"  {reason}")


@contextmanager
def _serving(view: DeskView, access: Access, plan: DeskPlan, report: ProgressReport) -> Iterator[None]:
    def on_ready(address: str) -> None:
        notice = " (SIMULATED)" if view.market == "simulated" else ""
        report.say(f"Serving{notice} on {address}: /v1/forecasts for all forecasts, /docs for the whole API.")
        if line := first_login_line(access, address):
            report.say(line)

    warning = exposure_warning(
        plan.host, is_public=access.public_read, is_behind_proxy=bool(access.trusted_proxies)
    )
    if warning:
        report.say(warning)
    server = ApiServer(create_app(view, access), plan.host, plan.port, on_ready)
    thread = threading.Thread(target=server.run, name="api")
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join()
