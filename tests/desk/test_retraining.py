from datetime import UTC, datetime

import pytest

from make_us_rich.desk.retraining import ModelState, TrainingOrder, due
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

NOW = datetime(2024, 1, 1, tzinfo=UTC)
HOURLY = Timeframe("1h")


def state(base, versions=0):
    return ModelState(f"price.{base}-USDT.1h", Symbol(base, "USDT"), HOURLY, versions)


def test_a_pair_without_a_model_is_due_with_what_had_closed_by_the_cutoff():
    assert due([state("BTC")], (), NOW) == [
        TrainingOrder("price.BTC-USDT.1h", Symbol("BTC", "USDT"), HOURLY, NOW, "no model yet")
    ]


def test_pairs_are_trained_in_the_order_in_which_they_are_followed():
    orders = due([state("ETH"), state("BTC"), state("ADA")], (), NOW)
    assert [order.symbol.base for order in orders] == ["ETH", "BTC", "ADA"]


@pytest.mark.parametrize(("versions", "tried"), [(1, ()), (0, {"price.BTC-USDT.1h"})])
def test_what_has_a_version_or_was_tried_is_not_due(versions, tried):
    assert due([state("BTC", versions)], tried, NOW) == []


def test_nobody_followed_is_nobody_trained():
    assert due([], (), NOW) == []
