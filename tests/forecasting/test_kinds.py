"""Every kind keeps the contract, ours and those of packages outside."""

import pytest
from structlog.testing import capture_logs

from make_us_rich.forecasting.kinds import KINDS, known_kinds
from make_us_rich.testing import check_kind


@pytest.mark.parametrize(("name", "timeframe"), [("price", "1h"), ("trend-up", "1d"), ("trend-down", "1d")])
def test_our_kinds_keep_the_contract(name, timeframe):
    check_kind(known_kinds()[name], timeframe)


@pytest.mark.parametrize("name", ["range", "basket"])
def test_kinds_of_packages_outside_are_found_and_keep_the_contract(outside, name):
    kind = known_kinds()[name]
    if name == "basket":
        from toy_kinds.basket_kind import OWNERS

        OWNERS["savings"] = 7
    check_kind(kind)


def test_a_kind_under_another_name_than_its_own_is_logged_and_left_out():
    kind = known_kinds()["price"]
    known_kinds.cache_clear()
    with KINDS.offering("cost", kind), capture_logs() as log:
        assert list(known_kinds()) == ["price", "trend-up", "trend-down"]
    known_kinds.cache_clear()
    (line,) = log
    assert (line["event"], line["kind"]) == ("kind not loaded", "cost")
    assert "it calls itself 'price'" in line["reason"]
