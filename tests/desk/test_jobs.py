import threading
from datetime import UTC, datetime

import pytest

from heard import Heard
from make_us_rich.desk.jobs import TrainingQueue
from make_us_rich.desk.retraining import TrainingOrder
from make_us_rich.desk.training import TrainingOutcome
from make_us_rich.events.bus import Bus
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from trial_trainings import FakeTraining

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def order(base):
    name = f"price.{base}-USDT.1h"
    return TrainingOrder(name, Symbol(base, "USDT"), Timeframe("1h"), NOW, "no model yet")


class Workshop:
    """Starts fake trainings, and remembers them in order."""

    def __init__(self, *trainings):
        self.waiting = list(trainings)
        self.started = []

    def start(self, order):
        self.started.append(order.symbol.base)
        return self.waiting.pop(0)


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def heard(bus):
    return Heard(bus)


@pytest.fixture
def queue_of(bus):
    def build(*trainings):
        workshop = Workshop(*trainings)
        return TrainingQueue("replay", workshop.start, bus), workshop

    return build


def told(heard):
    return [(event.state, event.version, event.promoted) for event in heard]


def test_a_training_is_said_when_it_begins_and_when_it_has_ended(queue_of, heard):
    queue, _ = queue_of(FakeTraining(looks=1))
    queue.order([order("BTC")], NOW)
    queue.collect(NOW)
    assert told(heard) == [("begun", None, False)]
    queue.collect(NOW)
    assert told(heard) == [("begun", None, False), ("trained", 1, True)]


def test_one_runs_after_the_other(queue_of):
    queue, workshop = queue_of(FakeTraining(looks=1), FakeTraining())
    queue.order([order("BTC"), order("ETH")], NOW)
    queue.collect(NOW)
    assert workshop.started == ["BTC"]
    queue.collect(NOW)
    assert workshop.started == ["BTC", "ETH"]


def test_a_name_is_ordered_once(queue_of):
    queue, workshop = queue_of(FakeTraining(), FakeTraining())
    for _ in range(3):
        queue.order([order("BTC")], NOW)
        queue.collect(NOW)
    assert workshop.started == ["BTC"]


def test_a_failed_training_is_told_with_its_reasons(queue_of, heard):
    failed = TrainingOutcome("BTC/USDT", None, promoted=False, reasons=("too little history",))
    queue, _ = queue_of(FakeTraining(outcome=failed))
    queue.order([order("BTC")], NOW)
    queue.collect(NOW)
    assert (heard[-1].name, heard[-1].state, heard[-1].reasons) == (
        "BTC/USDT",
        "failed",
        ("too little history",),
    )


def test_who_waits_waits_for_all_of_them(queue_of, heard):
    queue, workshop = queue_of(FakeTraining(looks=2), FakeTraining(looks=2))
    queue.order([order("BTC"), order("ETH")], NOW)
    queue.wait(threading.Event(), NOW)
    assert workshop.started == ["BTC", "ETH"]
    assert [state for state, _, _ in told(heard)] == ["begun", "trained", "begun", "trained"]


def test_a_set_stop_ends_the_waiting(queue_of):
    queue, _ = queue_of(FakeTraining(looks=10_000))
    queue.order([order("BTC")], NOW)
    stop = threading.Event()
    stop.set()
    queue.wait(stop, NOW)


def test_cancelling_ends_what_runs_and_forgets_what_waits(queue_of, heard):
    training = FakeTraining(looks=10_000)
    queue, workshop = queue_of(training, FakeTraining())
    queue.order([order("BTC"), order("ETH")], NOW)
    queue.cancel()
    queue.collect(NOW)
    assert training.is_cancelled
    assert workshop.started == ["BTC"]
    assert told(heard) == [("begun", None, False)]
