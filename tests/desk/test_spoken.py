import io
from datetime import UTC, datetime

import pytest

from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.spoken import speak
from make_us_rich.events.bus import Bus
from make_us_rich.events.records import Drifted, TrainingChanged

NOW = datetime(2024, 1, 1, tzinfo=UTC)
NAME = "price.BTC-USDT.1h"


@pytest.fixture
def said():
    """What is said about an event, line by line."""

    def say(event):
        bus, stream = Bus(), io.StringIO()
        speak(bus, ProgressReport(stream))
        bus.publish(event)
        return stream.getvalue().splitlines()

    return say


@pytest.mark.parametrize(
    ("state", "version", "promoted", "lines"),
    [
        ("begun", None, False, [f"{NAME}: no model yet; training one, the baseline is served meanwhile."]),
        ("trained", 3, True, [f"{NAME} version 3: promoted.", "  better"]),
        ("trained", 3, False, [f"{NAME} version 3: not promoted, the baseline stays.", "  better"]),
        ("failed", None, False, [f"{NAME}: not promoted, the baseline stays.", "  better"]),
    ],
)
def test_a_training_is_said_when_it_begins_and_when_it_ends(said, state, version, promoted, lines):
    assert said(TrainingChanged("replay", NOW, NAME, state, version, promoted, ("better",))) == lines


def test_drift_is_said_with_its_reason(said):
    event = Drifted("replay", NOW, NAME, 4, 3, "broken", "coverage 70.0%")
    assert said(event) == [f"{NAME} h=4: broken, coverage 70.0%."]
