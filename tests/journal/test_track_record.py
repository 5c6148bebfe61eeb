import math
from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts
from make_us_rich.forecasting.forecast import SERVED
from make_us_rich.forecasting.price.forecast import PERSISTENCE, VOLATILITY
from make_us_rich.journal.record import record_forecasts
from make_us_rich.journal.track_record import (
    TOO_EARLY,
    RecordQuery,
    read_track_record,
    skill_with_interval,
    weeks_per_block,
)
from make_us_rich.models.quantiles import QUANTILE_LEVELS
from make_us_rich.registry.model_name import ModelName
from trial_journal import HOUR, NAME, START, closes_of, forecast_at, play, score

WEEKS = 9
HORIZONS = (1, 24)
T_975_WITH_7 = 2.364624


@pytest.fixture
def played(journal):
    """Nine weeks and two days of hours from a Wednesday on; a new version serves from the fifth week."""
    closes = closes_of(WEEKS * 168 + 48, start=START + timedelta(days=2))
    sheets = [
        forecast_at(cutoff, close, horizons=HORIZONS, version=3 if cutoff < START + timedelta(days=35) else 4)
        for cutoff, close in closes.items()
    ]
    record_forecasts(journal, sheets, START)
    for cutoff in list(closes)[::97]:
        score(journal, closes, cutoff)
    score(journal, closes, max(closes))
    return journal, closes


def recomputed(journal, closes, horizon):
    """The record of one horizon from the raw forecasts and closes, without the code that is checked."""
    with journal.database.read() as session:
        rows = session.execute(select(forecasts).where(forecasts.c.horizon == horizon)).all()
    losses, counts, weekly = defaultdict(float), np.zeros(13), defaultdict(lambda: defaultdict(float))
    for row in rows:
        close = closes.get(row.target_time)
        if close is None:
            continue
        move = math.log(close / row.last_close)
        quantiles = [math.log(getattr(row, name) / row.last_close) for name in QUANTILE_COLUMNS]
        pinball = [
            level * (move - q) if move >= q else (1 - level) * (q - move)
            for level, q in zip(QUANTILE_LEVELS, quantiles, strict=True)
        ]
        loss = sum(pinball) / 13
        losses[row.forecaster] += loss
        week = weekly[(row.cutoff - START) // timedelta(days=7)]
        week[row.forecaster] += loss
        if row.forecaster == SERVED:
            week["n"] += 1
            week["held"] += quantiles[1] <= move <= quantiles[11]
            counts += [move > q for q in quantiles]
    return losses, counts, weekly


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_track_record_equals_an_independent_recomputation(played, horizon):
    journal, closes = played
    losses, counts, weekly = recomputed(journal, closes, horizon)
    (record,) = read_track_record(journal, RecordQuery(names=(NAME,), horizon=horizon))
    n = WEEKS * 168 + 48 - horizon
    assert (record.n, record.n_apart) == (n, n // horizon)
    assert record.skill.skill == pytest.approx(1 - losses[SERVED] / losses[PERSISTENCE])
    assert record.volatility_skill.skill == pytest.approx(1 - losses[SERVED] / losses[VOLATILITY])
    assert record.coverage_90 == pytest.approx(sum(week["held"] for week in weekly.values()) / n)
    assert [cell.said for cell in record.calibration] == list(QUANTILE_LEVELS)
    assert [1 - cell.came for cell in record.calibration] == pytest.approx((counts / n).tolist())

    whole = [week for index, week in sorted(weekly.items()) if 1 <= index <= 8]  # Monday to Monday
    assert record.blocks == len(whole) == 8
    own, theirs = (np.array([week[who] for week in whole]) for who in (SERVED, PERSISTENCE))
    ratio = own.sum() / theirs.sum()
    spread = np.sqrt(8 / 7 * np.sum((own - ratio * theirs) ** 2)) / theirs.sum()
    assert record.skill.high - record.skill.skill == pytest.approx(T_975_WITH_7 * spread, rel=1e-5)
    assert record.verdict is None


def test_under_eight_whole_weeks_it_is_too_early_to_tell(journal):
    play(journal, closes_of(60), horizons=(1,))
    (record,) = read_track_record(journal, RecordQuery())
    assert (record.verdict, record.blocks) == (TOO_EARLY, 0)
    assert (record.skill.low, record.skill.high) == (None, None)
    assert record.skill.skill is not None


def test_every_version_can_have_a_record_of_its_own(played):
    journal, _ = played
    both = read_track_record(journal, RecordQuery(horizon=1))
    apart = read_track_record(journal, RecordQuery(horizon=1, by_model=True))
    assert [(one.model, one.version) for one in apart] == [("lstm", 3), ("lstm", 4)]
    assert sum(one.n for one in apart) == both[0].n
    (fourth,) = read_track_record(journal, RecordQuery(horizon=1, version=4))
    assert fourth.n == apart[1].n


def test_a_period_is_widened_to_whole_weeks(played):
    journal, _ = played
    since, until = START + timedelta(days=9), START + timedelta(days=15)
    (record,) = read_track_record(journal, RecordQuery(horizon=1, since=since, until=until))
    assert record.first_cutoff == START + timedelta(days=7)
    assert record.last_cutoff == START + timedelta(days=21) - HOUR
    assert record.n == 2 * 168


def test_no_forecast_has_no_record(journal):
    assert read_track_record(journal, RecordQuery()) == []


def test_a_name_without_volatility_says_so(journal):
    play(journal, closes_of(30), spreads={SERVED: 0.01, PERSISTENCE: 0.01, VOLATILITY: None}, horizons=(1,))
    (record,) = read_track_record(journal, RecordQuery())
    assert record.skill.skill == pytest.approx(0.0)
    assert (record.volatility_skill.n, record.volatility_skill.skill) == (0, None)


def test_two_equal_blocks_leave_no_doubt_and_one_block_says_nothing():
    assert skill_with_interval([1.0, 1.0], [2.0, 2.0]) == (0.5, pytest.approx(0.0))
    assert skill_with_interval([1.0], [2.0]) is None
    assert skill_with_interval([0.0, 0.0], [0.0, 0.0]) is None


@pytest.mark.parametrize(
    ("name", "horizon", "weeks"),
    [(NAME, 24, 1), ("price.BTC-USDT.1d", 24, 18), ("trend-up.SOL-USDT.1d", 10, 6)],
)
def test_a_block_is_a_week_or_what_holds_five_horizons_or_40_days_of_trends(name, horizon, weeks):
    assert weeks_per_block(ModelName.parse(name), horizon) == weeks
