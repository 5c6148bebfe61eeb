import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from make_us_rich.evaluation.reporting.figures.fan import NARROW_FAN, WIDE_FAN, fan_figure
from make_us_rich.evaluation.reporting.figures.hours import hours_figure
from make_us_rich.evaluation.reporting.figures.layout import FigureSize, percent_axis
from make_us_rich.evaluation.reporting.figures.reliability import reliability_figure
from make_us_rich.evaluation.reporting.figures.skill import skill_figure
from make_us_rich.evaluation.reporting.figures.widths import widths_figure
from make_us_rich.market.timeframe import Timeframe
from report_desk import SCALES, report_on

WIDE = FigureSize(1000, 220, 3)


@pytest.fixture
def facts(make_backtest):
    return report_on(make_backtest(SCALES, noise=0.1)).facts


def words_of(drawing: str) -> str:
    return " ".join(ET.fromstring(drawing).itertext()).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(("size", "n_fans"), [(WIDE_FAN, 5), (NARROW_FAN, 2)])
def test_fan_shows_two_bands_and_the_last_close_repeated_for_each_cutoff(facts, size, n_fans):
    drawing = fan_figure(facts, size)
    assert drawing.count('<path class="band candidate') == 2 * n_fans
    repeated = re.findall(
        r'<path class="line persistence dashed" d="M[\d.]+ ([\d.]+)L.*? ([\d.]+)"/>', drawing
    )
    assert len(repeated) == n_fans
    assert all(start == end for start, end in repeated)  # level: the last close is repeated


def test_fan_draws_a_median_only_where_it_is_not_the_last_close(facts):
    assert "lstm, median" not in fan_figure(facts, WIDE_FAN)
    facts.backtest.quantiles["lstm"] += 0.001
    assert "lstm, median" in fan_figure(facts, WIDE_FAN)


def test_fan_of_fewer_candles_than_the_longest_horizon_is_drawn_from_the_first(make_backtest):
    backtest = make_backtest(SCALES)
    facts = report_on(backtest).facts
    short = replace(facts, backtest=backtest.since(int(backtest.cutoff_ms[-5])))
    assert fan_figure(short, WIDE_FAN).count('<path class="band candidate') == 2


def test_skill_figure_has_a_panel_per_yardstick_and_a_dot_per_fold(facts):
    drawing = skill_figure(facts, WIDE)
    panels = re.findall(r'<g class="dot fold">(.*?)</g>', drawing)
    assert [panel.count("<circle") for panel in panels] == [4, 4, 4]  # 2 horizons, 2 folds
    for name in ("persistence", "ewma_persistence", "volatility"):
        assert f"against {name}" in words_of(drawing)


def test_reliability_figure_tells_stated_observed_interval_and_count(facts):
    words = words_of(reliability_figure(facts, WIDE))
    assert "1 h ahead" in words
    assert "24 h ahead" in words
    assert re.search(r"stated 5.0 %, observed \d\.\d % ± \d\.\d, n = 1,680", words)


def test_hours_figure_compares_every_forecaster_with_persistence(facts):
    drawing = hours_figure(facts, WIDE)
    words = words_of(drawing)
    assert "persistence = 100 %" in words
    assert "ewma_persistence" in words
    assert drawing.count("UTC: ") == 24


def test_daily_candles_have_one_hour_and_are_drawn_all_the_same(make_backtest):
    hourly = make_backtest(SCALES)
    day = Timeframe("1d")
    daily = replace(hourly, timeframe=day, cutoff_ms=np.arange(len(hourly)) * day.milliseconds)
    drawing = hours_figure(report_on(daily, timeframe="1d").facts, WIDE)
    assert drawing.count("UTC: ") == 1


def test_widths_figure_shows_ten_groups_of_candidate_and_of_persistence(facts):
    drawing = widths_figure(facts, WIDE)
    for name in ("candidate", "persistence"):
        group = re.search(rf'<g class="dot {name}">(.*?)</g>', drawing)
        assert group is not None
        assert group[1].count("<circle") == 10


def test_percent_axis_writes_no_more_digits_than_its_ticks_need():
    assert [tick.label for tick in percent_axis(0.0, 0.041, signed=False).ticks][1] == "1\N{NO-BREAK SPACE}%"
    assert [tick.label for tick in percent_axis(0.0, 0.004, signed=False).ticks][
        1
    ] == "0.1\N{NO-BREAK SPACE}%"
