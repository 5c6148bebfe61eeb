"""The whole desk as one running thing: market, clock, service, training and loop put together."""

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from make_us_rich.desk.history import Span, fetch_span
from make_us_rich.desk.loop import ClosedCandleLoop, Duties, Feed, Tally, standing_still
from make_us_rich.desk.market_choice import choose_clock, choose_market, choose_symbols
from make_us_rich.desk.moments import format_moment
from make_us_rich.desk.past import set_aside_future
from make_us_rich.desk.plan import TIMEFRAME, DeskPlan
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.training import Training, TrainingOutcome, start_training
from make_us_rich.desk.workplace import Workplace
from make_us_rich.errors import SourceError
from make_us_rich.market.clock import Clock
from make_us_rich.market.symbol import Symbol
from make_us_rich.models.forecast import PriceForecast
from make_us_rich.serving.app import create_app
from make_us_rich.serving.champions import Champions
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.forecasting import current_forecast
from make_us_rich.serving.server import ApiServer
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
    desk = Desk(choice.place, Feed(choice.source, choice.place.store(), symbols, TIMEFRAME), clock, report)
    stop = threading.Event()
    with _serving(desk.view, plan, report):
        desk.fetch_history()
        desk.loop.run(stop)
        if not plan.exit_at_end:
            report.say(
                f"The candles end at {format_moment(clock.now())}; that moment is served until Ctrl-C."
            )
            stop.wait()
    return desk.loop.tally


class Desk:
    """What the loop works with: one market, its candles and models, and someone to tell."""

    def __init__(self, place: Workplace, feed: Feed, clock: Clock, report: ProgressReport) -> None:
        self.view = place.view(clock, feed.source.name)
        self.loop = ClosedCandleLoop(
            feed, clock, Duties(self._make_forecast, self._begin_training, self._tell)
        )
        self._place = place
        self._feed = feed
        self._clock = clock
        self._report = report
        self._champions = Champions(self.view.shelf)
        self._tried: set[Symbol] = set()

    def fetch_history(self) -> None:
        """Fetch two years of candles, as far as they are missing; a source that is away is only reported."""
        now = self._feed.timeframe.floor(self._clock.now())
        span = Span(now - HISTORY, now)
        with standing_still(self._clock):
            for symbol in self._feed.symbols:
                series = (symbol, self._feed.timeframe)
                try:
                    fetch_span(self._feed.source, self._feed.store, series, span, self._report)
                except SourceError as error:
                    self._report.say(str(error))

    def _make_forecast(self, symbol: Symbol, moment: datetime) -> tuple[PriceForecast, PriceForecast]:
        series = Series(self._feed.source.name, symbol, self._feed.timeframe)
        self._champions.refresh()
        champion = self._champions.artifact(str(series.price_name))
        baseline = current_forecast(self.view, series, None, moment)
        return current_forecast(self.view, series, champion, moment) if champion else baseline, baseline

    def _begin_training(self, moment: datetime) -> Training | None:
        for symbol in self._feed.symbols:
            name = str(Series(self._feed.source.name, symbol, self._feed.timeframe).price_name)
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
def _serving(view: DeskView, plan: DeskPlan, report: ProgressReport) -> Iterator[None]:
    def on_ready(address: str) -> None:
        notice = " (SIMULATED)" if view.market == "simulated" else ""
        report.say(f"Serving{notice} on {address}: /v1/forecasts for all forecasts, /docs for the whole API.")

    server = ApiServer(create_app(view), plan.host, plan.port, on_ready)
    thread = threading.Thread(target=server.run, name="api")
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join()
