"""Candles of the market beside those of the pair."""

from datetime import UTC, datetime

import pytest

from make_us_rich.desk.progress import ProgressReport
from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.features.price import garman_klass
from make_us_rich.market.activity import MARKET_VARIANCE
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.operations.history import SpanQuery, snapshot_series
from make_us_rich.operations.market_candles import add_market
from make_us_rich.testing.artifacts import ToyPriceModel

END = datetime(2022, 12, 1, tzinfo=UTC)
ETHER = Symbol("ETH", "USDT")
READS_MARKET = ToyPriceModel(activity=(MARKET_VARIANCE,))


@pytest.fixture
def snapshot(place, simulated, bitcoin, hourly):
    query = SpanQuery("2022-11-01", "2022-12-01", END)
    return snapshot_series(place, simulated, (bitcoin, hourly), query, ProgressReport())


def test_the_market_is_fetched_over_the_same_hours_and_kept_in_the_snapshot(
    place, simulated, snapshot, hourly
):
    whole = add_market(place, simulated, snapshot, ["ETH/USDT"], ProgressReport())
    ether = place.store().load(Series("simulated", ETHER, hourly))
    assert ether["open_time"].equals(snapshot.candles["open_time"])
    assert whole.candles[MARKET_VARIANCE].to_list() == pytest.approx(
        garman_klass(ether)["variance"].to_list()
    )
    assert whole.content_hash != snapshot.content_hash


def test_a_market_that_is_not_stored_is_refused_with_the_way_to_get_it(place, snapshot):
    with pytest.raises(
        NotEnoughHistoryError, match="market_volatility needs ETH/USDT from simulated, none is stored; run"
    ):
        add_market(place, None, snapshot, ["ETH/USDT"], ProgressReport())
