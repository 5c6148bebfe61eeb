"""Every kind keeps the contract, ours and those of packages outside."""

import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from make_us_rich.forecasting.kinds import KINDS, known_kinds
from make_us_rich.registries import installed
from make_us_rich.testing import check_kind

OUTSIDE = Path(__file__).parents[1] / "outside"


@pytest.mark.parametrize(("name", "timeframe"), [("price", "1h"), ("trend-up", "1d"), ("trend-down", "1d")])
def test_our_kinds_keep_the_contract(name, timeframe):
    check_kind(known_kinds()[name], timeframe)


@pytest.fixture
def outside(monkeypatch):
    """The packages of other people are installed."""
    monkeypatch.syspath_prepend(str(OUTSIDE))
    installed.cache_clear()
    known_kinds.cache_clear()
    yield
    monkeypatch.undo()
    installed.cache_clear()
    known_kinds.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "toy_kinds"]:
        del sys.modules[name]


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
