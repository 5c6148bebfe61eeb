import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from make_us_rich.market.series import Series
from make_us_rich.operations.workplace import Workplace
from make_us_rich.testing.trend_artifacts import toy_trend_draft, toy_trend_evidence
from trend_desk import DAY, SOL, daily_candles
from trial_desk import END

UP = "trend-up.SOL-USDT.1d"
UNPROVEN = {"served_by": "random_walk", "evidence": {"pool": toy_trend_evidence(skill=-0.01)}}
REPLAY = ("--market", "replay")
_STRANGER = """
import runpy, sys
sys.modules["make_us_rich"] = None
runpy.run_path("predict.py", run_name="__main__")
"""


@pytest.fixture
def place(settings):
    """A replay desk with 400 days of one coin and 60 of another."""
    place = Workplace(settings, "replay")
    place.store().append(daily_candles(), Series("recorded", SOL, DAY))
    return place


@pytest.fixture
def shelve(place):
    def put(*, is_promoted=False, **given):
        draft = toy_trend_draft("replay", **given)
        version = place.shelf().shelve(draft)
        if is_promoted:
            place.shelf().promote(draft.manifest.name, version, "better", datetime(2024, 4, 1, tzinfo=UTC))
        return version

    return put


def test_without_a_model_the_random_walk_answers_and_says_so(mur, place):
    answer = mur("trends", *REPLAY)
    assert answer.status == 0, answer.err
    lines = answer.out.splitlines()
    known = "in 10 candles (1d candles to 2024-04-10 00:00 UTC):"
    assert [line for line in lines if line.startswith("Probability")] == [
        f"Probability that the 10-candle average is 5 % higher or more {known}",
        f"Probability that the 10-candle average is 5 % lower or more {known}",
    ]
    rows = [line for line in lines if line.startswith("  SOL/USDT")]
    assert len(rows) == 2
    assert all("random_walk (baseline)" in row and "no model" in row for row in rows)


def test_one_direction_is_one_json_object_of_the_shape_the_api_answers(mur, shelve):
    shelve(is_promoted=True)
    answer = mur("trends", "up", *REPLAY, "--json")
    (trend,) = answer.record["trends"]
    assert set(answer.record) == {"market", "notice", "trends", "unavailable"}
    assert (trend["direction"], trend["served_by"], trend["model"]["version"]) == ("up", "toy", 1)
    assert trend["cutoff"] == "2024-04-10T00:00:00Z"


def test_a_model_that_is_not_proven_stands_beside_what_answers(mur, shelve):
    shelve(changes=UNPROVEN)
    row = next(line for line in mur("trends", "up", *REPLAY).out.splitlines() if "SOL" in line)
    assert "random_walk (baseline)" in row
    assert ", not proven better" in row
    assert "-1.0% (p 0.800, 18 blocks)" in row


def test_a_short_history_is_one_line_and_the_rest_is_answered(mur, place):
    place.store().append(daily_candles(60), Series("recorded", type(SOL).parse("ADA/USDT"), DAY))
    answer = mur("trends", *REPLAY)
    assert answer.status == 0
    said = [line for line in answer.out.splitlines() if line.startswith("no trend")]
    (line,) = said
    assert line.startswith("no trend: ADA/USDT 1d: a trend forecast needs 250 candles, found 60; run `mur")


def test_nothing_but_short_histories_is_a_failure_of_one_line(mur, settings):
    Workplace(settings, "replay").store().append(daily_candles(60), Series("recorded", SOL, DAY))
    answer = mur("trends", *REPLAY)
    assert (answer.status, answer.out) == (1, "")
    assert (
        "no trend can be forecast (2 trends in all): SOL/USDT 1d: a trend forecast needs 250" in answer.line
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("trends", "sideways"), "direction 'sideways' is not known; choose up or down"),
        (("trends",), "no daily candles are stored in the live market; `mur fetch SYMBOL… --timeframe 1d`"),
        (("models", "show", UP), f"no model {UP} stands on the live shelf"),
    ],
)
def test_what_is_not_there_is_wrong_usage(mur, arguments, words):
    answer = mur(*arguments)
    assert (answer.status, answer.out) == (2, "")
    assert words in answer.line


def test_a_trend_is_listed_and_shown_with_its_evidence(mur, shelve):
    shelve(is_promoted=True)
    assert UP in mur("models", "list", *REPLAY).out
    shown = mur("models", "show", UP, *REPLAY)
    assert shown.status == 0, shown.err
    assert f"{UP} version 1 (toy), served now by toy" in shown.out
    assert "the 10-candle average is 5 % higher or more in 10 candles" in shown.out
    assert next(line for line in shown.out.splitlines() if "pool" in line).split()[:3] == [
        "pool",
        "720",
        "18",
    ]
    record = mur("models", "show", UP, *REPLAY, "--json").record
    assert record["evidence"][0]["roc_auc"] == 0.82


def test_promoting_by_hand_says_that_the_baseline_goes_on_answering(mur, shelve):
    shelve(changes=UNPROVEN)
    answer = mur("models", "promote", f"{UP}@1", *REPLAY)
    assert answer.status == 0
    assert "toy is not proven better than the baselines, so random_walk goes on answering" in answer.err
    (trend,) = mur("trends", "up", *REPLAY, "--json").record["trends"]
    assert (trend["served_by"], trend["challenger"]["version"]) == ("random_walk", 1)


def test_a_rollback_returns_to_the_version_before(mur, shelve):
    shelve(is_promoted=True)
    shelve(is_promoted=True)
    assert mur("models", "rollback", UP, *REPLAY).status == 0
    (trend,) = mur("trends", "up", *REPLAY, "--json").record["trends"]
    assert trend["model"]["version"] == 1


def test_a_trend_whose_candles_are_gone_is_not_reproduced(mur, shelve):
    shelve()
    answer = mur("models", "reproduce", UP, *REPLAY)
    assert (answer.status, answer.out) == (1, "")
    assert "its candles, snapshot" in answer.line


def test_an_exported_trend_runs_without_make_us_rich(mur, shelve, tmp_path):
    shelve(changes=UNPROVEN)
    folder = tmp_path / "bundle"
    answer = mur("export", UP, str(folder), *REPLAY)
    assert answer.status == 0, answer.err
    ran = subprocess.run(
        [sys.executable, "-I", "-c", _STRANGER],
        cwd=folder, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(ran.stdout.splitlines()) == 5
    text = (folder / "README.md").read_text()
    assert "It is not proven better than the baselines: random_walk answers in its place." in text
    assert "| random_walk | -1.0% | 0.800 | 18 |" in text
    assert "1. `7_day_ADX`" in text
    assert "| threshold | 0.05 |" in text
    assert json.loads((folder / "manifest.json").read_text())["name"] == UP


def test_the_doctor_and_the_cleaner_know_trends(mur, shelve):
    shelve(is_promoted=True)
    checks = {check["name"]: check["verdict"] for check in mur("doctor", "--json").record["checks"]}
    assert checks[UP] == "ok"
    assert mur("clean", *REPLAY, "--dry-run").status == 0


def test_trends_load_nothing_of_the_training(place, shelve, home, tmp_path):
    shelve(is_promoted=True)
    program = (
        "import sys\nfrom make_us_rich import cli\n"
        "try:\n    cli.main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "trends", *REPLAY],
        cwd=tmp_path, capture_output=True, text=True, check=True, env=os.environ | {"MUR_HOME": str(home)},
    )  # fmt: skip
    assert "SOL/USDT" in ran.stdout
    loaded = set(ran.stderr.splitlines()[-1].split())
    assert "talib" in loaded
    forbidden = {"torch", "lightning", "sklearn", "xgboost", "lightgbm", "shap", "scipy", "pandas", "mlflow"}
    assert loaded & forbidden == set()


def test_the_toy_stands_at_the_end_of_its_candles():
    assert daily_candles()["open_time"][-1] + DAY.duration == END
