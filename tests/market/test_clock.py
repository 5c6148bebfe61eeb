import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from make_us_rich.market.clock import Clock, ReplayClock, WallClock

START = datetime(2024, 1, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=1)


class Stopwatch:
    """Monotonic time that moves only when told to, or when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Waiting(threading.Event):
    """A stop that is never set; waiting for it lets the stopwatch run."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        super().__init__()
        self._stopwatch = stopwatch

    def wait(self, timeout: float | None = None) -> bool:
        self._stopwatch.seconds += timeout or 0.0
        return False


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def already_set() -> threading.Event:
    stop = threading.Event()
    stop.set()
    return stop


def test_the_wall_clock_is_in_utc_and_waits(stop):
    clock: Clock = WallClock()
    begun = time.monotonic()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.sleep_until(clock.now() + timedelta(milliseconds=50), stop)
    assert time.monotonic() - begun >= 0.045
    assert clock.sleep_until(START, stop), "a moment in the past has come already"


def test_the_wall_clock_can_be_woken(stop):
    threading.Timer(0.05, stop.set).start()
    begun = time.monotonic()
    assert not WallClock().sleep_until(WallClock().now() + timedelta(hours=1), stop)
    assert time.monotonic() - begun < 5


def test_at_full_speed_time_stands_still_between_jumps(stop):
    clock = ReplayClock(START, UNTIL, speed=None)
    assert clock.now() == clock.now() == START
    assert clock.sleep_until(START + timedelta(hours=6), stop)
    assert clock.now() == START + timedelta(hours=6)
    assert clock.sleep_until(START, stop)
    assert clock.now() == START + timedelta(hours=6), "time never goes back"


@pytest.mark.parametrize("speed", [None, 3600.0])
def test_a_replay_stops_at_its_end_and_says_so(speed):
    stopwatch = Stopwatch()
    clock = ReplayClock(START, UNTIL, speed, stopwatch)
    assert clock.sleep_until(UNTIL, Waiting(stopwatch))
    assert not clock.sleep_until(UNTIL + timedelta(hours=1), Waiting(stopwatch))
    stopwatch.seconds += 1e6
    assert clock.now() == UNTIL


def test_speed_is_simulated_seconds_per_real_second():
    stopwatch = Stopwatch()
    clock = ReplayClock(START, UNTIL, 60.0, stopwatch)
    stopwatch.seconds += 2.0
    assert clock.now() == START + timedelta(minutes=2)
    assert clock.sleep_until(START + timedelta(minutes=10), Waiting(stopwatch))
    assert stopwatch.seconds == pytest.approx(110.0, abs=0.1)


@pytest.mark.parametrize("speed", [None, 60.0])
def test_a_replay_can_be_stopped(speed):
    clock = ReplayClock(START, UNTIL, speed)
    assert not clock.sleep_until(START + timedelta(hours=1), already_set())
    assert clock.now() < START + timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "until", "speed", "message"),
    [
        (UNTIL, START, None, "until must not lie before start"),
        (START, UNTIL, 0.0, "speed must be positive"),
        (START.replace(tzinfo=None), UNTIL, None, "timezone aware"),
    ],
)
def test_a_replay_that_makes_no_sense_is_refused(start, until, speed, message):
    with pytest.raises(ValueError, match=message):
        ReplayClock(start, until, speed)


@pytest.mark.parametrize("speed", [None, 60.0])
def test_work_done_while_the_clock_is_held_costs_no_simulated_time(speed):
    stopwatch = Stopwatch()
    clock = ReplayClock(START, UNTIL, speed, stopwatch)
    stopwatch.seconds += 1.0
    begun = clock.now()
    with clock.held():
        stopwatch.seconds += 500.0
        assert clock.now() == begun
    assert clock.now() == begun
    assert clock.sleep_until(begun + timedelta(minutes=1), Waiting(stopwatch)), "and it runs on afterwards"
