from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from make_us_rich.events.bus import Bus
from make_us_rich.events.records import Event, Health, Promoted

NOW = datetime(2024, 1, 1, tzinfo=UTC)
PROMOTED = Promoted("replay", NOW, "price.BTC-USDT.1h", 3, "better")
ILL = Health("replay", NOW, "journal", is_well=False, says="the database is away")


@pytest.fixture
def bus():
    return Bus()


def test_only_those_hear_an_event_who_subscribed_to_its_kind(bus):
    promotions, others = [], []
    bus.subscribe(Promoted, promotions.append)
    bus.subscribe(Health, others.append)
    bus.publish(PROMOTED)
    assert (promotions, others) == ([PROMOTED], [])


def test_who_subscribes_to_every_event_hears_them_in_order(bus):
    heard = []
    bus.subscribe(Event, heard.append)
    for event in (PROMOTED, ILL, PROMOTED):
        bus.publish(event)
    assert heard == [PROMOTED, ILL, PROMOTED]


def test_subscribers_hear_in_the_order_they_came_before_publishing_returns(bus):
    heard = []
    for name in "abc":
        bus.subscribe(Promoted, lambda _, name=name: heard.append(name))
    bus.publish(PROMOTED)
    assert heard == ["a", "b", "c"]


def test_a_subscriber_that_fails_is_logged_and_stops_nobody(bus):
    heard = []

    def fail(event):
        raise RuntimeError("no room left")

    bus.subscribe(Promoted, fail)
    bus.subscribe(Promoted, heard.append)
    with capture_logs() as logs:
        bus.publish(PROMOTED)
    assert heard == [PROMOTED]
    assert [(one["heard"], one["reason"]) for one in logs] == [("Promoted", "no room left")]


def test_what_was_said_before_is_not_heard(bus):
    bus.publish(PROMOTED)
    heard = []
    bus.subscribe(Promoted, heard.append)
    assert heard == []


def test_a_subscriber_may_publish_itself(bus):
    heard = []
    bus.subscribe(Promoted, lambda _: bus.publish(ILL))
    bus.subscribe(Event, heard.append)
    bus.publish(PROMOTED)
    assert heard == [ILL, PROMOTED]
