"""What is followed and held, and what several holdings are worth together."""

import numpy as np
import pytest

from make_us_rich.accounts.holdings import Interval, combine, return_correlation
from make_us_rich.accounts.users import list_users
from make_us_rich.accounts.watchlist import MOST_ENTRIES, list_entries, put_entry, remove_entry
from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.market.symbol import Symbol
from trial_people import NOW

BTC, ETH = Symbol("BTC", "USDT"), Symbol("ETH", "USDT")


def held(database, user_id):
    return {entry.symbol: entry.amount for entry in list_entries(database, user_id)}


def test_a_pair_is_followed_once_and_its_amount_changes(people):
    ada, ben = (user.id for user in list_users(people))
    put_entry(people, ada, BTC, 0.5, NOW)
    put_entry(people, ada, BTC, 0.75, NOW)
    put_entry(people, ada, ETH, 0, NOW)
    assert held(people, ada) == {"BTC/USDT": 0.75, "ETH/USDT": 0.0}
    assert held(people, ben) == {}


def test_a_pair_that_is_not_followed_cannot_be_removed(people):
    ada, ben = (user.id for user in list_users(people))
    put_entry(people, ada, BTC, 1, NOW)
    with pytest.raises(UnknownNameError):
        remove_entry(people, ben, BTC)
    remove_entry(people, ada, BTC)
    assert held(people, ada) == {}


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_an_amount_that_cannot_be_held_is_refused(people, amount):
    with pytest.raises(UsageError, match="0 or more"):
        put_entry(people, 1, BTC, amount, NOW)


def test_a_watchlist_has_an_end(people):
    for number in range(MOST_ENTRIES):
        put_entry(people, 1, Symbol(f"C{number}", "USDT"), 1, NOW)
    with pytest.raises(UsageError, match="at most"):
        put_entry(people, 1, BTC, 1, NOW)
    put_entry(people, 1, Symbol("C0", "USDT"), 2, NOW)


def test_opposite_movements_cancel_out():
    parts = [Interval(90, 100, 110), Interval(90, 100, 110)]
    assert combine(parts, np.array([[1.0, -1.0], [-1.0, 1.0]])) == Interval(200, 200, 200)


def test_one_holding_keeps_its_own_interval():
    one = Interval(90, 100, 120)
    assert combine([one], np.eye(1)) == one


def test_the_combined_interval_of_normal_prices_holds_as_often_as_theirs():
    numbers = np.random.default_rng(0)
    correlation = np.array([[1, 0.7], [0.7, 1]])
    prices = numbers.multivariate_normal([100, 50], correlation * np.outer([3, 2], [3, 2]), 100_000)
    parts = [Interval(*np.quantile(prices[:, i], [0.05, 0.5, 0.95])) for i in range(2)]
    whole = combine(parts, correlation)
    total = prices.sum(axis=1)
    assert np.mean((whole.low <= total) & (total <= whole.high)) == pytest.approx(0.90, abs=0.005)


def test_correlation_is_that_of_the_returns():
    steps = np.random.default_rng(0).normal(size=(5_000, 1))
    closes = np.cumsum(np.hstack([steps, steps, -steps]), axis=0)
    assert return_correlation(closes) == pytest.approx(np.array([[1, 1, -1], [1, 1, -1], [-1, -1, 1]]))


def test_too_little_history_or_a_price_that_never_moves_has_no_correlation():
    walk = np.cumsum(np.random.default_rng(0).normal(size=(5_000, 2)), axis=0)
    assert return_correlation(walk[:100]) is None
    assert return_correlation(np.column_stack([walk[:, 0], np.zeros(5_000)])) is None
