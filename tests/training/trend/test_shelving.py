import json
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.snapshot import load_snapshot
from make_us_rich.training.fits import Judged, Verdict
from make_us_rich.training.pool import fit_name, occasion_of
from make_us_rich.training.shelving import shelve as shelve_judged
from make_us_rich.training.succession import find_rival
from make_us_rich.training.trainers import resolve_trainer
from make_us_rich.training.trend.judgement import judge_pool
from make_us_rich.training.trend.reproduction import reproduce_trend
from make_us_rich.training.trend.rivals import compare
from trainings import TREND

from .conftest import NOW, train_here

NAME = "trend-up.SOL-USDT.1d"
TRAINER = resolve_trainer(TREND)


@pytest.fixture(scope="module")
def task(make_task):
    return make_task("SOL", directions=["up"])


@pytest.fixture(scope="module")
def judged(task):
    (outcome,) = train_here([task])
    (fitted,) = outcome.fitted
    judgement = judge_pool([fitted.fit.content])
    return Judged(fitted, judgement.verdicts[NAME], judgement.pooled)


@pytest.fixture
def shelf(tmp_path):
    return open_shelf(tmp_path / "shelf", "simulated")


@pytest.fixture
def shelve(shelf, task):
    snapshot = load_snapshot(task.snapshots, task.snapshot_hash)

    def put(judged, now=NOW):
        dated = replace(judged, fitted=replace(judged.fitted, now=now))
        return shelve_judged(TRAINER, dated, snapshot, shelf)

    return put


def passed(judged):
    winner = judged.fitted.fit.content.winner
    return replace(judged, verdict=Verdict(winner, reasons=("better",)))


def result(judged):
    return judged.fitted.fit.content


def test_an_unproven_model_is_shelved_and_not_served(judged, shelf, shelve):
    model = shelve(judged)
    assert (model.version, model.promoted) == (1, False)
    assert shelf.champion(NAME) is None
    assert model.choice.served_by in {"random_walk", "momentum", "base_rate"}
    assert "kept back" in shelf.decisions(NAME)[0].reasons[0]


def test_a_proven_model_is_served_and_says_the_same_from_the_shelf(judged, shelf, shelve):
    assert shelve(passed(judged)).promoted
    artifact = shelf.load(NAME, shelf.champion(NAME).version)
    features, expected = result(judged).models.golden
    assert artifact.model.probability(features) == pytest.approx(expected, abs=1e-5)
    assert artifact.manifest.served_by == result(judged).winner


def test_the_tags_are_those_of_the_published_system(judged, shelf, shelve):
    shelve(judged)
    tags = shelf.manifest(NAME, 1).tags
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
    said = json.dumps(asdict(shelve(judged)), allow_nan=True)
    record = json.loads(said)
    pool = next(one for one in record["evidence"] if one["forecaster"] == POOL)
    assert {"n", "roc_auc", "brier", "skill", "p_value", "published"} <= set(pool)


def test_the_same_candles_are_not_a_refresh(judged, shelf, shelve):
    shelve(passed(judged))
    again = shelve(passed(judged), NOW + timedelta(days=8))
    assert not again.promoted
    assert "is this experiment on these candles" in again.reasons[0]


def test_a_refresh_that_is_proven_takes_over_whenever_it_is_trained(judged, shelf, shelve):
    old = passed(judged)
    early = replace(
        old.fitted.span, reference=old.fitted.span.reference.model_copy(update={"hash": "e" * 64})
    )
    before = replace(old, fitted=_with_span(old.fitted, early))
    shelve(before)
    refresh = shelve(old, NOW + timedelta(days=1))
    assert refresh.promoted
    assert refresh.reasons[0] == "promoted: refresh: proven on folds that reach its newer data"
    unproven = replace(before, verdict=judged.verdict)
    third = shelve(unproven, NOW + timedelta(days=2))
    assert not third.promoted
    assert third.reasons[0].endswith("serves, nothing is proven better")


def _with_span(fitted, span):
    content = replace(fitted.fit.content, span=span)
    return replace(fitted, span=span, fit=replace(fitted.fit, content=content))


def test_a_challenge_is_judged_against_the_recipe_of_the_champion_in_the_same_folds(
    judged, shelf, shelve, make_task
):
    shelve(passed(judged))
    task = make_task("SOL", directions=["up"], candidates=["Ridge"])
    rival = find_rival(TRAINER, task.experiment, NAME, shelf, NOW)
    assert rival.version == 1
    fitted = fit_name(task, NAME, occasion_of(replace(task, rivals={NAME: rival})))
    assert fitted.fit.comparison is None, "what is not proven itself is not compared"
    proven = replace(fitted, fit=replace(fitted.fit, comparison=compare_with(rival, task, fitted)))
    model = shelve(Judged(proven, Verdict("Ridge", ("better",)), judged.pooled))
    assert not model.promoted
    assert model.reasons[0].startswith("kept back: challenge: loss")
    again = shelve(Judged(proven, Verdict("Ridge", ("better",)), judged.pooled), NOW + timedelta(days=1))
    assert "at most one a week" in again.reasons[0]
    assert find_rival(TRAINER, task.experiment, NAME, shelf, NOW + timedelta(days=1)) is None


def compare_with(rival, task, fitted):
    return compare(fitted.fit.content, occasion_of(task), rival)


def test_the_recipe_of_the_champion_has_its_own_losses(judged, shelf, shelve, task):
    shelve(passed(judged))
    comparison = compare(result(judged), occasion_of(task), shelf.manifest(NAME, 1))
    assert comparison.own.values == pytest.approx(comparison.theirs.values, abs=0), "the very same recipe"


def test_another_event_is_left_to_a_person(judged, shelf, shelve, make_task):
    shelve(passed(judged))
    champion = shelf.manifest(NAME, 1)
    other = champion.experiment | {"label": champion.experiment["label"] | {"threshold": 0.2}}
    asked = champion.model_copy(update={"experiment": other})
    assert "another question" in compare(result(judged), occasion_of(make_task("SOL")), asked).refusal


def test_a_shelved_trend_can_be_made_again(judged, shelf, shelve, task):
    shelve(passed(judged))
    snapshot = load_snapshot(task.snapshots, task.snapshot_hash)
    made = reproduce_trend(shelf.load(NAME, 1), snapshot)
    assert made.is_reproduced
    assert made.is_same_file
    longer = reproduce_trend(shelf.load(NAME, 1), _without_its_first_days(snapshot))
    assert not longer.is_reproduced
    assert "Brier score" in longer.differences[-1]


def _without_its_first_days(snapshot):
    return replace(snapshot, candles=snapshot.candles[40:])
