import pytest

from make_us_rich.forecasting.trend.bundle import trend_bundle, trend_readme
from make_us_rich.registry.bundle import export_bundle
from stranger import run_example
from trend_desk import UP


@pytest.fixture
def artifact(desk):
    return desk.shelf.load(str(UP), desk.promote_trend())


def test_the_example_runs_without_make_us_rich(artifact, tmp_path):
    export_bundle(artifact, trend_bundle(artifact.manifest), tmp_path / "bundle")
    ran = run_example(tmp_path / "bundle")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[0].startswith("day 0: trend-up with probability 0.")


def test_the_readme_says_what_is_read_and_whether_to_use_it(artifact):
    text = trend_readme(artifact.manifest)
    assert "**It is proven better than every baseline.**" in text
    assert "1. `7_day_ADX`" in text
    assert "| random_walk | +4.0% | 0.010 | 18 |" in text


def test_the_readme_of_a_model_that_is_not_proven_says_who_answers_in_its_place(artifact):
    text = trend_readme(artifact.manifest.model_copy(update={"served_by": "random_walk"}))
    assert "not proven better than the baselines: random_walk answers in its place" in text
