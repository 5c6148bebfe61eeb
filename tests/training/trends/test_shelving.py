import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.market.snapshot import load_snapshot
from make_us_rich.registry.artifact import read_manifest
from make_us_rich.registry.shelf import Shelf
from make_us_rich.registry.trend_promotion import TrendVerdict
from make_us_rich.training.trends.judgement import JudgedTrend, judge_pool
from make_us_rich.training.trends.reproduction import reproduce_trend
from make_us_rich.training.trends.shelving import shelve_trend

from .conftest import train_here

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "trend-up.SOL-USDT.1d"


@pytest.fixture(scope="module")
def trained(make_task):
    (outcome,) = train_here([make_task("SOL", directions=["up"])])
    (one,), pooled = judge_pool(outcome.results)
    return one, pooled["up"]


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "shelf", "simulated")


@pytest.fixture
def judged(trained):
    return trained[0]


@pytest.fixture
def shelve(trained, shelf):
    def put(judged, now=NOW):
        return shelve_trend(judged, trained[1], shelf, now)

    return put


def passed(judged):
    return JudgedTrend(judged.result, TrendVerdict(judged.result.winner, passed=True, reasons=("better",)))


def test_an_unproven_model_is_shelved_and_not_served(judged, shelf, shelve):
    result = shelve(judged)
    assert (result.version, result.promoted) == (1, False)
    assert shelf.champion(NAME) is None
    assert result.served_by in {"random_walk", "momentum", "base_rate"}
    assert "kept back" in shelf.decisions(NAME)[0].reasons[0]


def test_a_proven_model_is_served_and_says_the_same_from_the_shelf(judged, shelf, shelve):
    assert shelve(passed(judged)).promoted
    artifact = shelf.load_trend(NAME, shelf.champion(NAME).version)
    features, expected = judged.result.models.golden
    assert artifact.classifier.probability(features) == pytest.approx(expected, abs=1e-5)
    assert artifact.manifest.served_by == judged.result.winner


def test_the_tags_are_those_of_the_published_system(judged, shelf, shelve):
    shelve(judged)
    tags = read_manifest(shelf.folder(NAME, 1)).tags
    assert set(tags) == {
        *("positive_accuracy", "negative_accuracy", "overall_score", "accuracy", "precision"),
        *("symbol", "classifier", "classified_trend", "target_pct", "prediction_window_days"),
        *("feature_names", "feature_importance"),
    }
    assert (tags["symbol"], tags["classified_trend"]) == ("SOL", "uptrend")
    assert (tags["target_pct"], tags["prediction_window_days"]) == (5, 10)
    assert set(tags["feature_importance"]) == set(tags["feature_names"]) == set(INDICATOR_NAMES)


def test_the_report_shows_the_verdict_and_the_explanation(judged, shelf, shelve):
    shelve(judged)
    page = (shelf.folder(NAME, 1) / "report.html").read_text()
    assert "kept back" in page
    assert page.count("<svg") >= 4


def test_the_answer_is_json_without_infinities(judged, shelf, shelve):
    said = json.dumps(shelve(judged).to_dict(), allow_nan=True)
    record = json.loads(said)
    pool = next(one for one in record["evidence"] if one["forecaster"] == POOL)
    assert {"n", "roc_auc", "brier", "skill", "p_value", "published"} <= set(pool)


def test_the_same_candles_are_not_a_refresh(judged, shelf, shelve):
    shelve(passed(judged))
    again = shelve(passed(judged), NOW + timedelta(days=8))
    assert not again.promoted
    assert "is this experiment on these candles" in again.reasons[0]


def test_a_refresh_is_judged_on_days_the_champion_had_not_seen(judged, shelf, shelve):
    old = passed(judged)
    early = replace(
        old.result,
        span=replace(
            old.result.span,
            reference=old.result.span.reference.model_copy(update={"hash": "e" * 64}),
            data_end=_moment(old.result.outer.cutoff_ms[100]),
        ),
    )
    shelve(JudgedTrend(early, old.verdict), NOW)
    better = replace(
        old.result.outer,
        probability=old.result.outer.probability | {POOL: np.clip(old.result.outer.outcome, 0.1, 0.9)},
    )
    later = replace(old.result, outer=better)
    refresh = shelve(JudgedTrend(later, old.verdict), NOW + timedelta(days=8))
    assert refresh.promoted
    assert "refresh: loss" in refresh.reasons[0]
    third = shelve(JudgedTrend(replace(later, span=early.span), old.verdict), NOW + timedelta(days=9))
    assert "at most one a week" in third.reasons[0]


def _moment(milliseconds):
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def test_a_shelved_trend_can_be_made_again(judged, shelf, shelve, make_task):
    shelve(passed(judged))
    task = make_task("SOL", directions=["up"])
    snapshot = load_snapshot(task.snapshots, task.snapshot_hash)
    made = reproduce_trend(shelf.load_trend(NAME, 1), snapshot)
    assert made.is_reproduced
    assert made.is_same_file
    longer = reproduce_trend(shelf.load_trend(NAME, 1), _without_its_first_days(snapshot))
    assert not longer.is_reproduced
    assert "Brier score" in longer.differences[-1]


def _without_its_first_days(snapshot):
    return replace(snapshot, candles=snapshot.candles[40:])
