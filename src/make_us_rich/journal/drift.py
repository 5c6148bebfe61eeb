"""Has a model stopped being true? Judged once a week, per horizon, on what the journal holds.

Weeks are those of the calendar, back from the newest that has ended: with one missing, it is too early.
The alarm over some weeks: the coverage of the 90 % interval is off by more than 3 points and more than its
own error, or even the upper bound of the skill against `volatility` lies below 0. It means *watch* over the
last eight weeks, and *broken* in two consecutive windows of four; coverage outside 80-97 % over four weeks at
one hour is *broken* at once. A broken horizon is served by its baseline until another version is promoted,
which is then judged on its own weeks.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select

from make_us_rich.database.journal_tables import drift_verdicts
from make_us_rich.database.upsert import insert_missing
from make_us_rich.forecasting.kind import TOO_EARLY
from make_us_rich.forecasting.kinds import kind_of
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.track_record import (
    RecordQuery,
    Week,
    block_sums,
    read_weeks,
    share_with_interval,
    skill_with_interval,
)
from make_us_rich.journal.weekly import WEEK, WeekSums, total, week_of
from make_us_rich.registry.model_name import ModelName

WINDOW = 8
HALF = 4
TOLERANCE = 0.03
BROKEN_COVERAGE = (0.80, 0.97)  # of four weeks at one hour

State = Literal["early", "fine", "watch", "broken"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found at one horizon of a name on the Monday on which the last judged week ended."""

    name: str
    horizon: int
    week: datetime
    version: int
    state: State
    reason: str


def judge_weeks(weeks: Sequence[WeekSums], length: timedelta, end: datetime) -> tuple[State, str]:
    """Return the state, and why, of a horizon of some length from its whole weeks, oldest first.

    Only the eight calendar weeks before `end`, a Monday, count; none older stands in for a missing one.
    """
    earlier = _between(weeks, end - WINDOW * WEEK, end - HALF * WEEK)
    recent = _between(weeks, end - HALF * WEEK, end)
    if len(recent) == HALF and length == timedelta(hours=1):
        coverage = _coverage(recent)
        if not BROKEN_COVERAGE[0] <= coverage <= BROKEN_COVERAGE[1]:
            low, high = BROKEN_COVERAGE
            return "broken", f"4-week coverage is {coverage:.1%}, outside {low:.0%} to {high:.0%}"
    judged = [*earlier, *recent]
    if len(judged) < WINDOW:
        return "early", f"{TOO_EARLY}: {len(judged)} whole weeks of {WINDOW}"
    before, after = alarm(earlier), alarm(recent)
    if before and after:
        return "broken", f"two windows of four weeks: {before}; then {after}"
    whole = alarm(judged)
    return ("watch", whole) if whole else ("fine", f"coverage {_coverage(judged):.1%} over 8 weeks")


def alarm(weeks: Sequence[WeekSums]) -> str | None:
    """Say what is wrong over some weeks; None where nothing is, or where it cannot be told."""
    found = []
    coverage = share_with_interval((week.covered for week in weeks), (week.n for week in weeks))
    if coverage is not None and abs(coverage[0] - 0.90) > max(TOLERANCE, coverage[1]):
        found.append(f"coverage {coverage[0]:.1%} ± {coverage[1]:.1%}")
    beside = [week for week in weeks if week.volatility_n]
    skill = skill_with_interval(
        (week.loss_beside_volatility for week in beside), (week.volatility_loss for week in beside)
    )
    if skill is not None and skill[0] + skill[1] < 0:
        found.append(f"skill against volatility {skill[0]:.2%} ± {skill[1]:.2%}")
    return ", ".join(found) or None


def judge_drift(journal: Journal, name: ModelName, version: int, now: datetime) -> list[Verdict]:
    """Judge the horizons a model serves, if a week has ended whose forecasts are all due; write it down.

    A week that was judged is not judged again, whoever asks.
    """
    weeks = read_weeks(journal, RecordQuery(names=(str(name),), until=now))
    longest = max((key.horizon for key, _ in weeks), default=1)
    end = week_of(now - longest * name.timeframe.duration)
    broken, baselines = _last_broken(journal, str(name)), kind_of(name).baselines
    by_horizon: defaultdict[int, list[Week]] = defaultdict(list)
    for key, sums in weeks:
        if key.model not in baselines and key.week >= broken.get(key.horizon, key.week):
            by_horizon[key.horizon].append((key.week, sums))
    verdicts = [
        _verdict(name, horizon, version, end, found)
        for horizon, found in sorted(by_horizon.items())
        if any(week + WEEK <= end for week, _ in found)
    ]
    _write(journal, verdicts, now)
    return verdicts


def broken_horizons(journal: Journal, name: str, version: int) -> dict[int, str]:
    """Return the horizons at which a version has broken, and why."""
    return {
        verdict.horizon: f"drift, {verdict.week:%Y-%m-%d}: {verdict.reason}"
        for verdict in read_verdicts(journal, name)
        if verdict.state == "broken" and verdict.version == version
    }


def read_verdicts(journal: Journal, name: str) -> list[Verdict]:
    """Return every verdict on a name, oldest first."""
    table = drift_verdicts
    columns = (table.c.name, table.c.horizon, table.c.week, table.c.version, table.c.state, table.c.reason)
    query = select(*columns).where(journal.holds(table), table.c.name == name)
    with journal.database.read() as session:
        rows = session.execute(query.order_by(table.c.week, table.c.horizon)).all()
    return [Verdict(*row) for row in rows]


def newest_verdicts(verdicts: Sequence[Verdict]) -> Mapping[int, Verdict]:
    """Return the newest verdict at each horizon."""
    return {verdict.horizon: verdict for verdict in sorted(verdicts, key=lambda one: one.week)}


def _between(weeks: Sequence[WeekSums], start: datetime, end: datetime) -> list[WeekSums]:
    return [week for week in weeks if start <= week_of(week.first_cutoff) < end]


def _coverage(weeks: Sequence[WeekSums]) -> float:
    return sum(week.covered for week in weeks) / sum(week.n for week in weeks)


def _verdict(name: ModelName, horizon: int, version: int, end: datetime, weeks: Sequence[Week]) -> Verdict:
    duration = name.timeframe.duration
    state, reason = judge_weeks(block_sums(_by_week(weeks), duration, 1), horizon * duration, end)
    return Verdict(str(name), horizon, end, version, state, reason)


def _by_week(weeks: Sequence[Week]) -> list[Week]:
    # a week in which one version took over from another is one week
    together: defaultdict[datetime, list[WeekSums]] = defaultdict(list)
    for week, sums in weeks:
        together[week].append(sums)
    joined = ((week, total(sums)) for week, sums in sorted(together.items()))
    return [(week, sums) for week, sums in joined if sums is not None]


def _last_broken(journal: Journal, name: str) -> dict[int, datetime]:
    table = drift_verdicts
    query = (
        select(table.c.horizon, func.max(table.c.week))
        .where(journal.holds(table), table.c.name == name, table.c.state == "broken")
        .group_by(table.c.horizon)
    )
    with journal.database.read() as session:
        return {row[0]: row[1] for row in session.execute(query)}


def _write(journal: Journal, verdicts: Sequence[Verdict], now: datetime) -> None:
    rows = [
        {
            "market": journal.market,
            "history": journal.history,
            **{field: getattr(verdict, field) for field in Verdict.__slots__},
            "reason": verdict.reason[:255],
            "judged_at": now,
        }
        for verdict in verdicts
    ]
    if rows:
        with journal.database.write() as session:
            insert_missing(session, drift_verdicts, rows)
