"""How the served forecasts turned out, from their weekly sums: skill, coverage, calibration.

Skill is 1 - Σ loss / Σ baseline loss over every forecast that was scored. Its interval takes the weeks as
independent: it is that of a ratio of sums over clusters (Cochran, "Sampling Techniques", 1977, ch. 6), with
Student's t of k - 1 degrees of freedom over k whole blocks. A block is a calendar week, or as many weeks
as hold five horizons, or 40 days of trends.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import select

from make_us_rich.database.journal_tables import weekly_scores
from make_us_rich.evaluation.student_t import t_quantile
from make_us_rich.forecasting.kind import TOO_EARLY, Live
from make_us_rich.forecasting.kinds import kind_of
from make_us_rich.journal.journal import Journal, may_see, name_is
from make_us_rich.journal.weekly import WEEK, WeekKey, WeekSums, read_sums, total, week_of
from make_us_rich.models.quantiles import LEVEL_KEYS
from make_us_rich.registry.model_name import ModelName

FEWEST_BLOCKS = 8

_LEVEL = 0.975
_ALL = select(weekly_scores)


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which part of the record; `since` and `until` bound cutoffs and are widened to whole calendar weeks.

    In names `%` stands for anything. With `by_model` every model and version has a record of its own. What
    has an owner is there for `asker` alone, the id of a user.
    """

    names: tuple[str, ...] = ()
    horizon: int | None = None
    model: str | None = None
    version: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    by_model: bool = False
    asker: int | None = None


@dataclass(frozen=True, slots=True)
class SkillRecord:
    """Skill against one yardstick over `n` forecasts; the interval is None below two whole blocks."""

    n: int
    skill: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class CalibrationCell:
    """What was said and how often it came.

    Price: `said` is a quantile level and `came` the share of closes below it. Trends: of forecasts of nearly
    the same probability, how many, their mean, and how often the trend came.
    """

    n: int
    said: float
    came: float


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The record of one name at one horizon, of one model or of all that served.

    `blocks` counts whole blocks; `verdict` is "too early to tell" under eight, and None from then on.
    """

    name: str
    horizon: int
    model: str | None
    version: int | None
    first_cutoff: datetime
    last_cutoff: datetime
    n: int
    n_apart: int
    blocks: int
    skill: SkillRecord
    volatility_skill: SkillRecord
    coverage_90: float | None
    coverage_low: float | None
    coverage_high: float | None
    calibration: tuple[CalibrationCell, ...]
    verdict: str | None


Week = tuple[datetime, WeekSums]


def read_track_record(journal: Journal, query: RecordQuery) -> list[TrackRecord]:
    """Return the record of every name and horizon that was asked for."""
    grouped: defaultdict[tuple[Any, ...], list[Week]] = defaultdict(list)
    for key, sums in read_weeks(journal, query):
        who = (key.model, key.version) if query.by_model else (None, None)
        grouped[(key.name, key.horizon, *who)].append((key.week, sums))
    return [
        _record(ModelName.parse(name), horizon, model, version, weeks)
        for (name, horizon, model, version), weeks in sorted(grouped.items(), key=lambda item: str(item[0]))
    ]


def read_weeks(journal: Journal, query: RecordQuery) -> list[tuple[WeekKey, WeekSums]]:
    """Return the weekly sums that were asked for, in time order."""
    table = weekly_scores
    found = _ALL.where(journal.holds(table), may_see(table.c.owner, query.asker))
    if query.names:
        found = found.where(name_is(table.c.name, query.names))
    for column, wanted in (("horizon", query.horizon), ("model", query.model), ("version", query.version)):
        if wanted is not None:
            found = found.where(table.c[column] == wanted)
    if query.since is not None:
        found = found.where(table.c.week >= week_of(query.since))
    if query.until is not None:
        found = found.where(table.c.week < query.until)
    with journal.database.read() as session:
        return [read_sums(row) for row in session.execute(found.order_by(table.c.week))]


def weeks_per_block(name: ModelName, horizon: int) -> int:
    """Return how many calendar weeks one block of a name has.

    >>> weeks_per_block(ModelName.parse("price.BTC-USDT.1h"), 24)
    1
    """
    return max(1, math.ceil(kind_of(name).block(name, horizon) / WEEK))


def block_sums(weeks: Sequence[Week], timeframe: timedelta, size: int) -> list[WeekSums]:
    """Return the sums of each whole block of `size` weeks, oldest first.

    A week is whole where the record reaches from its beginning to its end; a block is counted from the newest
    whole week back, so that the newest weeks are never left out.
    """
    if not weeks:
        return []
    first = min(sums.first_cutoff for _, sums in weeks)
    last = max(sums.last_cutoff for _, sums in weeks)
    whole = [(week, sums) for week, sums in weeks if week >= first and week + WEEK - timeframe <= last]
    if not whole:
        return []
    end = max(week for week, _ in whole)
    n_blocks = ((end - min(week for week, _ in whole)) // WEEK + 1) // size
    blocks: defaultdict[int, list[WeekSums]] = defaultdict(list)
    for week, sums in whole:
        blocks[(end - week) // WEEK // size].append(sums)
    joined = [total(blocks[index]) for index in range(n_blocks - 1, -1, -1)]
    return [one for one in joined if one is not None]


def skill_with_interval(loss: Iterable[float], baseline_loss: Iterable[float]) -> tuple[float, float] | None:
    """Return 1 - Σ loss / Σ baseline loss over blocks, and the half width of its 95 % interval.

    None below two blocks, or where the baseline never erred.
    """
    own, theirs = np.fromiter(loss, np.float64), np.fromiter(baseline_loss, np.float64)
    k = len(own)
    if k < 2 or theirs.sum() <= 0:
        return None
    skill = 1 - float(own.sum() / theirs.sum())
    residual = theirs - own - skill * theirs
    error = math.sqrt(k / (k - 1) * float(residual @ residual)) / float(theirs.sum())
    return skill, t_quantile(_LEVEL, k - 1) * error


def share_with_interval(held: Iterable[float], n: Iterable[float]) -> tuple[float, float] | None:
    """Return Σ held / Σ n over blocks, and the half width of its 95 % interval; None below two blocks."""
    counts = list(n)
    missed = [count - one for count, one in zip(counts, held, strict=True)]
    return skill_with_interval(missed, counts)


def _record(
    name: ModelName, horizon: int, model: str | None, version: int | None, weeks: Sequence[Week]
) -> TrackRecord:
    every = total(sums for _, sums in weeks)
    if every is None:
        raise ValueError(f"{name}: a record without weeks")
    blocks = block_sums(weeks, name.timeframe.duration, weeks_per_block(name, horizon))
    has_quantiles = (
        every.calibration.ndim == 1
    )  # quantiles have cells per level, probabilities three per tenth
    coverage = share_with_interval((b.covered for b in blocks), (float(b.n) for b in blocks))
    share = every.covered / every.n if has_quantiles else None
    half = coverage[1] if coverage is not None and has_quantiles else None
    return TrackRecord(
        name=str(name),
        horizon=horizon,
        model=model,
        version=version or None,
        first_cutoff=every.first_cutoff,
        last_cutoff=every.last_cutoff,
        n=every.n,
        n_apart=every.n // horizon,
        blocks=len(blocks),
        skill=_skill(every.n, (every.loss, every.baseline_loss), [(b.loss, b.baseline_loss) for b in blocks]),
        volatility_skill=_skill(
            every.volatility_n,
            (every.loss_beside_volatility, every.volatility_loss),
            [(b.loss_beside_volatility, b.volatility_loss) for b in blocks if b.volatility_n],
        ),
        coverage_90=share,
        coverage_low=None if share is None or half is None else max(0.0, share - half),
        coverage_high=None if share is None or half is None else min(1.0, share + half),
        calibration=_price_cells(every) if has_quantiles else _trend_cells(every),
        verdict=TOO_EARLY if len(blocks) < FEWEST_BLOCKS else None,
    )


def _skill(n: int, losses: tuple[float, float], blocks: Sequence[tuple[float, float]]) -> SkillRecord:
    loss, baseline_loss = losses
    skill = 1 - loss / baseline_loss if baseline_loss > 0 else None
    interval = skill_with_interval((own for own, _ in blocks), (theirs for _, theirs in blocks))
    if skill is None or interval is None:
        return SkillRecord(n, skill, None, None)
    return SkillRecord(n, skill, skill - interval[1], skill + interval[1])


def _price_cells(sums: WeekSums) -> tuple[CalibrationCell, ...]:
    shares = np.cumsum(sums.calibration)[:-1] / sums.n
    levels = [float(key) for key in LEVEL_KEYS]
    return tuple(
        CalibrationCell(sums.n, level, float(share)) for level, share in zip(levels, shares, strict=True)
    )


def _trend_cells(sums: WeekSums) -> tuple[CalibrationCell, ...]:
    return tuple(
        CalibrationCell(int(n), float(said / n), float(came / n))
        for n, said, came in sums.calibration
        if n > 0
    )


def live_by_horizon(journal: Journal, name: ModelName, owner: int | None = None) -> Mapping[int, Live]:
    """Return how the served forecasts of one name turned out, whichever model served."""
    return {
        one.horizon: Live(
            n=one.n,
            skill=one.skill.skill,
            skill_low=one.skill.low,
            skill_high=one.skill.high,
            coverage_90=one.coverage_90,
            verdict=one.verdict,
        )
        for one in read_track_record(journal, RecordQuery(names=(str(name),), asker=owner))
    }
