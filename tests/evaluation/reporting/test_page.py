import re
from xml.etree import ElementTree as ET

import pytest

from make_us_rich.models.quantiles import BASELINES
from page_reader import Page
from report_desk import SCALES, Verdict, report_on


@pytest.fixture
def html(make_backtest):
    return report_on(make_backtest(SCALES, noise=0.1)).to_html()


def test_page_is_one_well_formed_document(html):
    page = Page(html)
    assert page.open == []
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert len(html) < 600_000


def test_every_figure_is_well_formed_named_and_drawn_for_wide_and_narrow_screens(html):
    drawings = re.findall(r'<div class="(?:wide|narrow)">(<svg.*?</svg>)</div>', html, re.S)
    assert len(drawings) == 10
    for drawing in drawings:
        root = ET.fromstring(drawing)
        assert root.get("role") == "img"
        assert root.get("aria-label")
        assert root.findtext("title") == root.get("aria-label")
        assert not re.search(r"\b(nan|inf)\b", drawing)


def test_page_loads_nothing_and_runs_nothing(html):
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(page.tags)
    assert not {"src", "href", "srcset", "style"} & {name for name, _ in page.attributes}
    assert not re.search(r"https?:|url\(|@import|//[a-z]", html)


def test_page_says_what_was_asked_the_verdict_the_count_and_the_yardstick(html):
    words = " ".join(Page(html).words).replace("\N{NO-BREAK SPACE}", " ")
    assert "How far may BTC/USDT move in the next 1 h and 24 h?" in words
    assert "lstm serves at every horizon" in words
    assert "lower than that of persistence (± " in words
    assert "10 whole weeks; n = 1,680" in words


def test_page_says_how_to_make_it_again(html):
    words = Page(html).words
    for needed in ("mur backtest BTC/USDT", "9f2c4e71", "7", "Make Us Rich 0.1.0"):
        assert needed in words


def test_simulated_market_is_said_first_and_in_every_figure(make_backtest):
    html = report_on(make_backtest(SCALES), market="simulated").to_html()
    assert html.index("SIMULATED market") < html.index("<h1>")
    assert html.count(">SIMULATED</text>") == 10
    assert "<title>SIMULATED" in html


def test_other_markets_do_not_say_simulated(html):
    assert "SIMULATED" not in html


def test_names_cannot_break_out_of_the_page(make_backtest):
    evil = '<script>alert("x")</script>\'&'
    backtest = make_backtest({**SCALES, evil: 0.9})
    verdicts = [Verdict(h, evil, passed=True, reasons=(evil,)) for h in (1, 24)]
    named = dict.fromkeys(("name", "symbol", "candidate", "source", "command", "snapshot_hash"), evil)
    html = report_on(backtest, verdicts, **named).to_html()
    page = Page(html)
    assert "script" not in page.tags
    assert page.open == []
    assert evil in page.words


def test_who_serves_is_told_for_each_group_of_horizons(make_backtest):
    verdicts = [Verdict(24, "volatility", passed=True), Verdict(1, "persistence", passed=False)]
    words = " ".join(Page(report_on(make_backtest(SCALES), verdicts).to_html()).words)
    words = words.replace("\N{NO-BREAK SPACE}", " ")
    assert words.index("volatility serves at") < words.index("persistence stands in at")
    assert "volatility serves at 24 h: it is proven better than the naive baselines; lstm did not" in words
    assert "persistence stands in at 1 h: no model passed the rule." in words
    assert "persistence (baseline)" in words


def test_baseline_can_be_the_subject_and_is_not_its_own_yardstick(make_backtest):
    backtest = make_backtest({name: SCALES[name] for name in BASELINES})
    words = Page(report_on(backtest, candidate="volatility").to_html()).words
    assert "against ewma_persistence" in words
    assert "against volatility" not in words


@pytest.mark.parametrize("weeks", [1, 2])
def test_short_backtest_still_makes_a_page(make_backtest, weeks):
    assert Page(report_on(make_backtest(SCALES, weeks=weeks)).to_html()).open == []


def test_page_is_the_same_each_time(make_backtest):
    pages = [report_on(make_backtest(SCALES, noise=0.1)).to_html() for _ in range(2)]
    assert pages[0] == pages[1]
