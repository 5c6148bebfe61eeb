import json
import math
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.blocks import diebold_mariano_p_value
from make_us_rich.evaluation.evidence import gather_evidence
from make_us_rich.evaluation.report import build_report
from make_us_rich.models.quantiles import BASELINES, LEVEL_KEYS
from report_desk import SCALES, SUBJECT, Verdict, report_on

UNWRITTEN = re.compile(r"(?i)\b(nan|inf)\b")


@pytest.fixture
def backtest(make_backtest) -> Backtest:
    return make_backtest(SCALES, noise=0.1)


def test_json_holds_no_nan_and_no_infinity(make_backtest):
    content = report_on(make_backtest(SCALES, weeks=1)).to_json()
    text = json.dumps(content, allow_nan=False)
    assert json.loads(text) == content
    lstm = content["forecasters"]["lstm"][0]
    assert lstm["scores"]["direction"] is None
    assert lstm["loss_by_hour"]["0"]["half_width"] is None


def test_json_names_the_subject_its_folds_and_every_forecaster(backtest):
    content = report_on(backtest).to_json()
    assert content["subject"]["data_end"] == "1970-03-12T00:00:00Z"
    assert content["n"] == 1680
    assert [fold["n"] for fold in content["folds"]] == [840, 840]
    assert content["folds"][1]["first_cutoff"] == "1970-02-05T00:00:00Z"
    assert list(content["forecasters"]) == list(SCALES)
    assert list(content["forecasters"]["lstm"][1]["reliability"]) == list(LEVEL_KEYS)


def test_json_repeats_the_evidence_and_says_who_serves(backtest):
    verdicts = [Verdict(1, "lstm", passed=True), Verdict(24, "persistence", passed=False)]
    rows = report_on(backtest, verdicts).to_json()["forecasters"]["lstm"]
    for row, evidence in zip(rows, gather_evidence(backtest, "lstm"), strict=True):
        assert row["skill"] == evidence.skill
        assert row["p_value"] == evidence.p_value
        assert row["coverage_se"] == evidence.coverage_se
        assert row["skill_spread"]["persistence"] == pytest.approx(evidence.skill_sd)
    assert [row["served_by"] for row in rows] == ["lstm", "persistence"]


@pytest.mark.parametrize("baseline", BASELINES)
def test_skill_of_each_fold_equals_that_of_its_rows(backtest, baseline):
    row = report_on(backtest).to_json()["forecasters"]["lstm"][1]
    own, other = backtest.loss("lstm")[:, 1], backtest.loss(baseline)[:, 1]
    expected = [1 - own[rows].sum() / other[rows].sum() for rows in (slice(0, 840), slice(840, None))]
    assert row["fold_skill"][baseline] == pytest.approx(expected)
    assert row["skill_spread"][baseline] == pytest.approx(np.std(expected, ddof=1))


def test_diebold_mariano_judges_the_scaled_losses_and_leaves_a_forecaster_level_with_itself(backtest):
    backtest.week_volatility[:] = np.linspace(0.005, 0.05, len(backtest))
    rows = report_on(backtest).to_json()["forecasters"]
    difference = backtest.scaled_loss("volatility")[:, 1] - backtest.scaled_loss("lstm")[:, 1]
    expected = diebold_mariano_p_value(difference, 24)
    assert rows["lstm"][1]["diebold_mariano"]["volatility"] == pytest.approx(expected)
    assert 1e-9 < expected < 0.5
    assert rows["persistence"][0]["diebold_mariano"]["persistence"] == 1.0


def test_single_fold_has_no_spread(backtest):
    one_fold = replace(backtest, fold=np.zeros(len(backtest), dtype=np.int64))
    report = report_on(one_fold)
    assert report.to_json()["forecasters"]["lstm"][0]["skill_spread"]["persistence"] is None
    assert "one fold, so no spread" in report.to_html()
    assert not UNWRITTEN.search(report.to_markdown())


def test_forecasts_of_no_width_on_a_market_that_does_not_move_are_reported(make_backtest):
    still = make_backtest(dict.fromkeys(SCALES, 0.0), weeks=3)
    still.returns[:] = 0
    report = report_on(still)
    assert report.to_json()["forecasters"]["lstm"][0]["skill"]["persistence"] == 0
    for text in (report.to_html(), report.to_markdown()):
        assert not UNWRITTEN.search(text)


def test_leak_is_suspected_where_the_median_is_far_better_than_the_last_close(backtest):
    backtest.quantiles["lstm"] += 0.5 * backtest.returns[..., None]
    report = report_on(backtest)
    assert any(line.startswith("lstm at h=1: the direction is right in") for line in report.facts.warnings)
    assert "mur leakage" in report.to_html()
    assert report_on(backtest, candidate="volatility").to_json()["warnings"]  # all forecasters are looked at


@pytest.mark.parametrize(
    ("left_out", "words"),
    [("lstm", "no evidence for 'lstm'"), ("persistence", "no evidence for 'persistence'")],
)
def test_missing_evidence_is_named(backtest, left_out, words):
    evidence = {name: gather_evidence(backtest, name) for name in SCALES if name != left_out}
    with pytest.raises(ValueError, match=words):
        build_report(SUBJECT, backtest, evidence, [])


def test_verdicts_of_other_horizons_are_refused(backtest):
    with pytest.raises(ValueError, match=r"verdicts cover horizons \[1\], the backtest \[1, 24\]"):
        report_on(backtest, [Verdict(1, "lstm", passed=True)])


def test_empty_backtest_is_refused(backtest):
    evidence = {name: gather_evidence(backtest, name) for name in SCALES}
    with pytest.raises(ValueError, match="holds no forecast"):
        build_report(SUBJECT, backtest.since(2**60), evidence, [])


def test_verdicts_may_come_in_any_order(backtest):
    verdicts = [Verdict(24, "volatility", passed=True), Verdict(1, "lstm", passed=True)]
    content = report_on(backtest, verdicts).to_json()
    assert [v["served_by"] for v in content["verdicts"]] == ["lstm", "volatility"]


def test_coverage_is_close_to_what_the_true_quantiles_state(make_backtest):
    scores = report_on(make_backtest(SCALES, weeks=30)).to_json()["forecasters"]["lstm"][0]["scores"]
    assert all(math.isclose(float(share), held, abs_tol=0.02) for share, held in scores["coverage"].items())


def test_style_of_the_page_travels_with_the_package():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    files = project["tool"]["setuptools"]["package-data"]["make_us_rich"]
    assert "evaluation/reporting/page.css" in files
