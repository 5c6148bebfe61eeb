"""Calls per month, exact; calls per minute, in memory."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from make_us_rich.accounts.pace import Pacer
from make_us_rich.accounts.quota import Granted, Wanted, calls_made, list_usage, take_calls
from make_us_rich.accounts.users import list_users
from trial_people import NOW


def ids(database):
    return {user.name: user.id for user in list_users(database)}


def test_each_gets_what_is_left_and_nobody_more(people):
    ada, ben = ids(people)["ada"], ids(people)["ben"]
    assert take_calls(people, [Wanted(ben, 10, 4), Wanted(ada, 3, 4)], NOW) == {
        ada: Granted(3, 0),
        ben: Granted(4, 6),
    }
    assert take_calls(people, [Wanted(ben, 10, 7)], NOW)[ben] == Granted(6, 0)
    assert take_calls(people, [Wanted(ben, 10, 1)], NOW)[ben] == Granted(0, 0)


def test_a_quota_that_was_lowered_below_what_was_used_grants_nothing(people):
    ben = ids(people)["ben"]
    take_calls(people, [Wanted(ben, 10, 9)], NOW)
    assert take_calls(people, [Wanted(ben, 5, 1)], NOW)[ben] == Granted(0, 0)


def test_a_new_month_begins_at_nothing(people):
    ben = ids(people)["ben"]
    take_calls(people, [Wanted(ben, 10, 10)], NOW)
    april = datetime(2024, 4, 1, tzinfo=UTC)
    assert take_calls(people, [Wanted(ben, 10, 1)], april)[ben] == Granted(1, 9)
    assert (calls_made(people, ben, NOW), calls_made(people, ben, april)) == (10, 1)
    assert list_usage(people, "2024-03") == [("ben", 10)]


def test_of_many_at_once_exactly_the_quota_is_granted(people):
    ben = ids(people)["ben"]
    with ThreadPoolExecutor(8) as pool:
        grants = pool.map(lambda calls: take_calls(people, [Wanted(ben, 100, calls)], NOW)[ben], [3] * 50)
        assert sum(grant.calls for grant in grants) == 100


def test_a_minutes_calls_may_be_made_at_once_and_then_come_back_one_by_one():
    pacer = Pacer(per_minute=6)
    assert [pacer.take(1, 0.0).is_allowed for _ in range(7)] == [True] * 6 + [False]
    refused = pacer.take(1, 1.0)
    assert (refused.is_allowed, refused.retry_seconds, refused.left) == (False, 9 + 1, 0)
    assert pacer.take(1, 10.5).is_allowed
    assert not pacer.take(1, 10.6).is_allowed


def test_one_user_does_not_use_up_the_minute_of_another():
    pacer = Pacer(per_minute=1)
    assert pacer.take(1, 0.0).is_allowed
    assert pacer.take(2, 0.0).is_allowed
    assert not pacer.take(1, 0.0).is_allowed
