import re
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from make_us_rich.evaluation.trends.evidence import POOL, OuterForecasts, gather_trend_evidence
from make_us_rich.evaluation.trends.explain import TrendExplanation
from make_us_rich.evaluation.trends.report import ReportSubject, TrendReportRecord, trend_report_html
from make_us_rich.evaluation.trends.report_record import fold_facts
from make_us_rich.evaluation.trends.report_words import interval_words, question
from make_us_rich.evaluation.trends.scores import published_scores
from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.features.trend_labels import TrendLabel
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.trend_promotion import PooledTest, TrendVerdict
from page_reader import Page

DAY_MS = 86_400_000
SUBJECT = ReportSubject(
    name="trend-up.SOL-USDT.1d",
    candidate="Ridge",
    symbol="SOL/USDT",
    timeframe="1d",
    market="replay",
    source="replay:BINANCE",
    data_start=datetime(2019, 1, 1, tzinfo=UTC),
    data_end=datetime(2020, 6, 1, tzinfo=UTC),
    snapshot_hash="9f2c4e71",
    seed=7,
    code_version="0.1.0",
    command="mur train --preset trend SOL/USDT",
)


def outer_forecasts(days=400, seed=0):
    rng = np.random.default_rng(seed)
    truth = 1 / (1 + np.exp(-np.convolve(rng.normal(-0.3, 1.5, days + 9), np.ones(10) / 3, "valid")))
    outcome = (rng.random(days) < truth).astype(float)
    said = {
        "base_rate": np.full(days, outcome.mean()),
        "momentum": np.clip(truth + rng.normal(0, 0.1, days), 0.01, 0.99),
        "random_walk": np.clip(truth + rng.normal(0, 0.05, days), 0.01, 0.99),
        "Ridge": np.clip(truth + rng.normal(0, 0.15, days), 0.01, 0.99),
        "MLP": np.clip(truth + rng.normal(0, 0.2, days), 0.01, 0.99),
    }
    fold = np.repeat([150, 151], [days // 2, days - days // 2])
    said[POOL] = np.where(fold == 150, said["MLP"], said["Ridge"])
    return OuterForecasts(Timeframe("1d"), (18_000 + np.arange(days)) * DAY_MS, fold, outcome, said)


def explanation():
    rng = np.random.default_rng(1)
    values, features = rng.normal(size=(2, 40, len(INDICATOR_NAMES)))
    return TrendExplanation("Ridge", "permutation", -1.0, INDICATOR_NAMES, values, features)


def record_of(outer=None, **changes):
    outer = outer or outer_forecasts()
    candidates = [name for name in outer.probability if name in ("Ridge", "MLP", POOL)]
    return replace(
        TrendReportRecord(
            subject=SUBJECT,
            direction="up",
            label=TrendLabel(),
            outer=outer,
            evidence={name: gather_trend_evidence(outer, name, 0) for name in outer.probability},
            published={
                name: published_scores(outer.outcome, outer.probability[name] > 0.5).to_dict()
                for name in candidates
            },
            chosen={150: "MLP", 151: "Ridge"},
            dropped={"AdaBoost": "one class only to fit on"},
            explanation=explanation(),
            verdict=TrendVerdict("random_walk", False, ("not proven better than random_walk",)),
            pooled={
                name: PooledTest(25, 17, -0.012, 0.871) for name in ("base_rate", "momentum", "random_walk")
            },
        ),
        **changes,
    )


@pytest.fixture(scope="module")
def record():
    return record_of()


@pytest.fixture(scope="module")
def html(record):
    return trend_report_html(record).decode()


@pytest.fixture(scope="module")
def words(html):
    return words_of(html)


def words_of(html):
    return " ".join(Page(html).words).replace("\N{NO-BREAK SPACE}", " ")


def test_page_is_one_well_formed_document(html):
    page = Page(html)
    assert page.open == []
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert len(html) < 400_000


def test_page_loads_nothing_and_runs_nothing(html):
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(page.tags)
    assert not {"src", "href", "srcset", "style"} & {name for name, _ in page.attributes}
    assert not re.search(r"https?:|url\(|@import|//[a-z]", html)


def test_every_figure_is_well_formed_named_and_drawn_for_wide_and_narrow_screens(html):
    drawings = re.findall(r'<div class="(?:wide|narrow)">(<svg.*?</svg>)</div>', html, re.S)
    assert len(drawings) == 10
    for drawing in drawings:
        root = ET.fromstring(drawing)
        assert root.get("aria-label") == root.findtext("title") != ""
        assert not re.search(r"\b(nan|inf)\b", drawing)


def test_page_says_what_was_asked_who_serves_and_on_what_ground(words):
    assert "Will the average of 10 closes of SOL/USDT be at least 5 % higher in 10 days" in words
    assert "random_walk (baseline) serves: the pool is not proven better than every baseline, on" in words
    assert "over all 25 coins" in words
    assert "not proven better than random_walk" in words
    assert "On 400 days nobody chose on, the Brier score of the pool is" in words
    assert "p = 0.871" in words
    assert "whole blocks of 40 days" in words


def test_a_promoted_candidate_is_said_to_be_proven(record):
    verdict = TrendVerdict("Ridge", True, ("Ridge: proven",))
    words = words_of(trend_report_html(replace(record, verdict=verdict)).decode())
    assert (
        "Ridge serves: the pool is proven better than every baseline, on this coin and over all 25" in words
    )


def test_every_forecaster_and_the_published_thresholds_stand_in_tables(html, words):
    heads = re.findall(r'<th scope="row">(.*?)</th>', html)
    for name in ("pool", "Ridge (winner)", "MLP", "base_rate", "momentum", "random_walk", "Threshold"):
        assert name in heads
    assert words.count("≥ 50 %") == 2
    assert words.count("≥ 60 %") == 1


def test_folds_name_the_candidate_that_spoke_and_the_dropped_one_its_reason(record, words):
    first, second = fold_facts(record)
    assert (first.candidate, second.candidate) == ("MLP", "Ridge")
    assert (first.n, f"{first.first_cutoff:%Y-%m-%d}") == (200, "2019-04-14")
    losses = record.outer.loss(POOL)[:200], record.outer.loss("random_walk")[:200]
    assert first.skill == pytest.approx(1 - losses[0].sum() / losses[1].sum())
    assert "AdaBoost one class only to fit on" in words


def test_days_with_the_event_are_shaded_in_one_piece_each():
    outer = outer_forecasts(days=120)
    outcome = np.zeros(120)
    outcome[[10, 11, 12, 40]] = 1
    html = trend_report_html(record_of(replace(outer, outcome=outcome))).decode()
    wide = html.split('<div class="wide">')[1].split("</svg>")[0]
    assert wide.count('<path class="band event outer"') == 2


def test_a_line_is_broken_where_days_are_missing():
    outer = outer_forecasts(days=120)
    apart = replace(outer, cutoff_ms=outer.cutoff_ms + np.where(np.arange(120) >= 50, 30, 0) * DAY_MS)
    html = trend_report_html(record_of(apart)).decode()
    wide = html.split('<div class="wide">')[1].split("</svg>")[0]
    assert wide.count('<path class="line candidate slim"') == 2


@pytest.mark.parametrize(
    ("kind", "direction", "asked"),
    [
        ("close-change", "down", "Will SOL/USDT close at least 5 % lower in 10 days than now?"),
        ("touch", "up", "Will SOL/USDT trade at least 5 % above the last close within the next 10 days?"),
        ("touch", "down", "trade at least 5 % below the last close"),
    ],
)
def test_the_other_labels_are_asked_in_words(record, kind, direction, asked):
    other = replace(record, label=TrendLabel(kind), direction=direction)
    assert asked in question(other).replace("\N{NO-BREAK SPACE}", " ")


def test_an_interval_that_cannot_be_told_is_a_dash(record):
    unknown = replace(record.own, skill_low={"random_walk": float("nan")})
    assert interval_words(unknown, "random_walk") == "—"


def test_events_that_never_came_still_make_a_page():
    outer = outer_forecasts(days=100)
    html = trend_report_html(record_of(replace(outer, outcome=np.zeros(100)))).decode()
    assert Page(html).open == []
    assert not re.search(r"[ \">](nan|inf)\b", html)


def test_a_simulated_market_is_named_on_top_and_in_every_figure(record):
    html = trend_report_html(replace(record, subject=replace(SUBJECT, market="simulated"))).decode()
    assert html.count(">SIMULATED</text>") == 10
    assert "<title>SIMULATED" in html
    assert "no price in this report was ever paid" in html


def test_names_cannot_break_out_of_the_page(record):
    evil = '<script>alert("x")</script>\'&'
    subject = replace(SUBJECT, symbol=evil, source=evil, name=evil, command=evil)
    changes = {"subject": subject, "dropped": {evil: evil}, "verdict": TrendVerdict(evil, False, (evil,))}
    page = Page(trend_report_html(replace(record, **changes)).decode())
    assert "script" not in page.tags
    assert page.open == []


def test_page_is_the_same_each_time(record, html):
    assert trend_report_html(record).decode() == html
