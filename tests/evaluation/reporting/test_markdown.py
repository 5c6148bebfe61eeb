import pytest

from make_us_rich.evaluation.reporting.markdown import marked
from report_desk import SCALES, Verdict, report_on


@pytest.fixture
def markdown(make_backtest):
    return report_on(make_backtest(SCALES, noise=0.1)).to_markdown().replace("\N{NO-BREAK SPACE}", " ")


def test_every_row_of_a_table_has_as_many_cells_as_its_head(markdown):
    tables = [block.splitlines() for block in markdown.split("\n\n") if block.startswith("|")]
    assert len(tables) == 4  # horizons, folds, and the scores of two horizons
    for table in tables:
        assert len({line.replace(r"\|", "").count("|") for line in table}) == 1


def test_report_tells_the_verdict_the_yardstick_and_how_to_make_it_again(markdown):
    assert "**lstm serves at every horizon" in markdown
    assert "lower than that of persistence (± " in markdown
    assert "```bash\nmur backtest BTC/USDT\n```" in markdown
    assert "- **Seed**: 7" in markdown


def test_simulated_market_is_said_before_any_number(make_backtest):
    markdown = report_on(make_backtest(SCALES), market="simulated").to_markdown()
    assert markdown.splitlines()[2].startswith("> **SIMULATED market")


def test_names_cannot_add_cells_or_tags(make_backtest):
    verdicts = [Verdict(h, "a|b<i>", passed=True, reasons=("line\n# two",)) for h in (1, 24)]
    markdown = report_on(make_backtest(SCALES), verdicts).to_markdown()
    assert r"a\|b\<i>" in markdown
    assert "\n# two" not in markdown


def test_command_with_back_ticks_stays_in_its_fence(make_backtest):
    markdown = report_on(make_backtest(SCALES), command="mur ```x```").to_markdown()
    assert "````bash\nmur ```x```\n````" in markdown


@pytest.mark.parametrize("words", ["p < 0.05", "ewma_persistence", "2 > 1", "R&D"])
def test_words_that_mean_nothing_in_markdown_stay_as_they_are(words):
    assert marked(words) == words
