"""A desk in a folder, with 100 days of hourly candles and a clock the test moves."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from make_us_rich.database.engine import open_database
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.market.series import Series
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.serving.access import Access
from make_us_rich.serving.app import create_app
from make_us_rich.testing.artifacts import toy_draft

BTC = Symbol("BTC", "USDT")
HOUR = Timeframe.parse("1h")
START = datetime(2024, 1, 1, tzinfo=UTC)
END = START + timedelta(days=100)


class SetClock:
    """A clock that shows what the test sets."""

    def __init__(self, moment):
        self.moment = moment

    def now(self):
        return self.moment

    def sleep_until(self, moment, stop):
        return not stop.is_set()


def hourly_candles(first=START, until=END, seed=0):
    n = int((until - first) / HOUR.duration)
    close = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.005, n)))
    times = pl.datetime_range(first, until - HOUR.duration, HOUR.duration, time_unit="ms", eager=True)
    return pl.DataFrame(
        {
            "open_time": times,
            "open": close,
            "high": close * 1.002,
            "low": close * 0.998,
            "close": close,
            "volume": np.ones(n),
        }
    )


class TrialDesk:
    """A desk in a folder, with the few things tests do to it."""

    def __init__(self, root, market="replay"):
        self.root = root
        self.store = CandleStore(root / "candles")
        self.shelf = open_shelf(root / "shelf", market)
        self.clock = SetClock(END + timedelta(minutes=1))
        self.database = open_database(f"sqlite:///{root / 'desk.db'}")
        self.view = MarketView(market, self.store, self.shelf, self.clock, stale_limit=timedelta(hours=48))

    def add_candles(self, candles, symbol=BTC, source="recorded"):
        self.store.append(candles, Series(source, symbol, HOUR))
        return self

    def app(self, **access):
        """The API over this desk; reading is public, as only tests of accounts need accounts."""
        journal = Journal(self.database, self.view.market)
        board = Board(self.view, JournalRecords(journal))
        return create_app(board, Access(self.database, b"k" * 32, **{"public_read": True, **access}), journal)

    def promote(self, draft=None):
        draft = draft or toy_draft(self.view.market)
        version = self.shelf.shelve(draft)
        self.shelf.promote(draft.manifest.name, version, "better", self.clock.now())
        return version
