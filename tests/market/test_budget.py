import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_us_rich.errors import SourceUnavailableError, StoreError
from make_us_rich.market.budget import Allowance, RequestBudget
from make_us_rich.market.clock import ReplayClock

START = datetime(2026, 4, 1, 12, 0, 30, tzinfo=UTC)
TEN_A_MINUTE = (Allowance(60, 10),)


@pytest.fixture
def clock() -> ReplayClock:
    """A clock that stands still and jumps where somebody sleeps."""
    return ReplayClock(START, START + timedelta(days=5), speed=None)


@pytest.fixture
def budget(tmp_path: Path, clock: ReplayClock) -> RequestBudget:
    return make_budget(tmp_path, clock)


def make_budget(
    folder: Path, clock: ReplayClock, allowances: tuple[Allowance, ...] = TEN_A_MINUTE
) -> RequestBudget:
    return RequestBudget(folder / "budgets" / "somewhere.json", allowances, clock=clock)


def passed(clock: ReplayClock) -> float:
    return (clock.now() - START).total_seconds()


def wait(clock: ReplayClock, seconds: float) -> None:
    clock.sleep_until(clock.now() + timedelta(seconds=seconds), threading.Event())


def test_what_is_spent_is_no_longer_left(budget):
    budget.spend(3)
    (reading,) = budget.readings()
    assert (reading.used, reading.remaining, reading.limit) == (3, 7, 10)
    assert str(reading) == "somewhere: 7 of 10 request weight left this minute"
    assert reading.to_dict()["remaining"] == 7


def test_a_full_budget_makes_the_next_request_wait_until_the_first_is_a_minute_old(budget, clock):
    budget.spend(6)
    wait(clock, 20)
    budget.spend(4)
    assert passed(clock) == 20
    budget.spend(1)
    assert 60 < passed(clock) <= 61
    assert budget.readings()[0].remaining == 5


def test_two_budgets_on_one_file_are_one(tmp_path, clock, budget):
    other = make_budget(tmp_path, clock)
    budget.spend(6)
    other.spend(4)
    assert budget.readings() == other.readings()
    assert budget.readings()[0].remaining == 0


def test_requests_keep_their_spacing_whoever_makes_them(tmp_path, clock, budget):
    other = make_budget(tmp_path, clock)
    for turn in (budget, other, budget, other):
        turn.spend(1, spacing_seconds=0.5)
    assert passed(clock) == 1.5


def test_the_smaller_of_two_allowances_counts(tmp_path, clock):
    budget = make_budget(tmp_path, clock, (Allowance(60, 5), Allowance(86_400, 7)))
    for _ in range(7):
        budget.spend()
    assert 60 < passed(clock) <= 61
    with pytest.raises(
        SourceUnavailableError, match="somewhere: the weight of 7 allowed a day is used"
    ) as caught:
        budget.spend()
    assert str(caught.value).endswith("try again after 2026-04-02 12:24 UTC")
    wait(clock, 86_400 * 61 / 60)
    budget.spend()


def test_a_share_is_left_for_others_at_the_same_address(tmp_path, clock):
    budget = make_budget(tmp_path, clock, (Allowance(60, 10, share=0.9),))
    budget.spend(9)
    assert passed(clock) == 0
    budget.spend(1)
    assert passed(clock) > 30


def test_what_the_source_says_was_used_counts_if_it_is_more(budget):
    budget.spend(2)
    budget.report_used(60, 8)
    budget.report_used(60, 8)
    assert budget.readings()[0].remaining == 2
    budget.report_used(60, 1)
    assert budget.readings()[0].remaining == 2


def test_the_limit_the_source_states_is_known_to_all(tmp_path, clock, budget):
    budget.report_limit(60, 6000)
    assert make_budget(tmp_path, clock).readings()[0].limit == 6000


def test_a_pause_holds_for_all_and_a_long_one_is_not_slept_through(tmp_path, clock, budget):
    other = make_budget(tmp_path, clock)
    budget.report_pause(90)
    budget.report_pause(5)
    assert str(other.readings()[0]).endswith("left this minute, paused until 2026-04-01 12:02:00 UTC")
    other.spend()
    assert passed(clock) == 90
    budget.report_pause(7200)
    with pytest.raises(SourceUnavailableError, match="try again after 2026-04-01 14:02 UTC"):
        other.spend()


def test_reading_a_budget_writes_nothing(budget, tmp_path):
    assert budget.readings()[0].remaining == 10
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", '{"spent": ', "[1]", '{"unheard_of": 1}'])
def test_a_ledger_that_cannot_be_read_is_begun_anew(budget, tmp_path, content):
    (tmp_path / "budgets").mkdir()
    (tmp_path / "budgets" / "somewhere.json").write_text(content)
    budget.spend(4)
    assert budget.readings()[0].remaining == 6


def test_what_a_wrong_clock_noted_does_not_stop_the_desk(tmp_path, clock):
    ahead = ReplayClock(START + timedelta(days=900), START + timedelta(days=999), speed=None)
    wrong = make_budget(tmp_path, ahead)
    wrong.spend(10, spacing_seconds=50)
    wrong.report_pause(3600)
    budget = make_budget(tmp_path, clock)
    budget.spend(10)
    assert passed(clock) == 0


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path, clock):
    (tmp_path / "budgets").write_text("in the way")
    with pytest.raises(StoreError, match=r"somewhere.json: .*; check that MUR_HOME"):
        make_budget(tmp_path, clock).spend()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 40), st.integers(1, 5)), min_size=1, max_size=40))
def test_no_minute_ever_holds_more_than_the_limit(tmp_path_factory, requests):
    clock = ReplayClock(START, START + timedelta(days=5), speed=None)
    budget = make_budget(tmp_path_factory.mktemp("budget"), clock)
    sent: list[tuple[float, int]] = []
    for pause, weight in requests:
        wait(clock, pause)
        budget.spend(weight)
        sent.append((passed(clock), weight))
    for begin, _ in sent:
        assert sum(weight for at, weight in sent if begin <= at < begin + 60) <= 10


SPENDER = """
import sys
from pathlib import Path
from make_us_rich.market.budget import Allowance, RequestBudget

budget = RequestBudget(Path(sys.argv[1]), (Allowance(60, 10_000),))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    budget.spend(2)
    budget.report_used(60, 7)
"""


def test_processes_that_spend_at_once_lose_no_entry(tmp_path):
    path = tmp_path / "somewhere.json"
    spenders = [
        subprocess.Popen(
            [sys.executable, "-c", SPENDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for spender in spenders:
        assert spender.stdout is not None
        spender.stdout.readline()
    for spender in spenders:
        spender.communicate("go\n", timeout=60)
        assert spender.returncode == 0
    spent = json.loads(path.read_text())["spent"]["60"]
    assert 360 <= sum(spent.values()) <= 360 + 6, "all of it, and what a first answer may have said on top"
