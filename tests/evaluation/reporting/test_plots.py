import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.evaluation.reporting.plots import (
    Axis,
    Box,
    Panel,
    axes,
    band,
    bars,
    clipped,
    dots,
    drawing,
    legend,
    line,
    padded_range,
    tiled,
    whiskers,
)
from make_us_rich.evaluation.reporting.ticks import Tick

PANEL = Panel(
    Box(10, 20, 100, 200), Axis(0, 10, (Tick(5, "five"),), "across"), Axis(-1, 1, (Tick(0, "zero"),))
)


def test_corners_of_the_data_are_the_corners_of_the_panel():
    assert (PANEL.across(0), PANEL.across(10)) == (10, 110)
    assert (PANEL.down(-1), PANEL.down(1)) == (220, 20)


def test_line_goes_through_its_points_and_leaves_out_what_is_not_finite():
    drawn = ET.fromstring(line(PANEL, [(0, -1), (5, math.nan), (10, 1)], "candidate"))
    assert drawn.get("d") == "M10.0 220.0L110.0 20.0"
    assert drawn.get("class") == "line candidate"


def test_band_encloses_both_edges():
    drawn = ET.fromstring(band(PANEL, [(0, -1), (10, -1)], [(0, 1), (10, 1)], "inner"))
    assert drawn.get("d") == "M10.0 220.0L110.0 220.0L110.0 20.0L10.0 20.0Z"


def test_bar_stands_on_zero_whichever_way_it_points():
    up, down = ET.fromstring(bars(PANEL, [(2, 0.5), (4, -0.5)], 1, "x")).iter("rect")
    assert (up.get("y"), up.get("height"), up.get("width")) == ("70.0", "50.0", "10.0")
    assert (down.get("y"), down.get("height")) == ("120.0", "50.0")


def test_whisker_stops_at_the_edge_of_the_panel_and_an_unknown_one_is_not_drawn():
    drawn = ET.fromstring(whiskers(PANEL, [(5, -9, 0.5), (6, -math.inf, math.inf), (7, math.nan, 1)], "x"))
    assert drawn.get("d") == "M60.0 220.0V70.0M57.0 220.0h6M57.0 70.0h6"


@pytest.mark.parametrize("mark", [line, dots])
def test_nothing_is_drawn_of_nothing(mark):
    assert mark(PANEL, [(math.nan, 1.0)], "x") == ""
    assert whiskers(PANEL, [], "x") == bars(PANEL, [], 1, "x") == band(PANEL, [], [], "x") == ""


def test_dots_tell_their_titles():
    drawn = ET.fromstring(dots(PANEL, [(1, 0), (2, 0)], "x", titles=["<one>", "two"]))
    assert [title.text for title in drawn.iter("title")] == ["<one>", "two"]


def test_axes_carry_ticks_name_and_title():
    words = ET.fromstring(f"<g>{axes(PANEL, 'a title')}</g>").itertext()
    assert list(words) == ["a title", "zero", "five", "across"]
    assert "zero" not in list(ET.fromstring(f"<g>{axes(PANEL, '', with_y_labels=False)}</g>").itertext())


def test_legend_wraps_where_the_drawing_ends():
    entries = [(shape, "candidate", "some words") for shape in ("line", "band", "dot", "bar", "whisker")]
    drawn, height = legend(entries, Box(0, 0, 250, 0))
    assert height == 57
    assert len(ET.fromstring(f"<g>{drawn}</g>").findall("text")) == 5
    assert max(float(t.get("x", "")) for t in ET.fromstring(f"<g>{drawn}</g>").findall("text")) < 200
    assert legend(entries, Box(0, 0, 2000, 0))[1] == 19


def test_drawing_is_named_for_those_who_do_not_see_it():
    root = ET.fromstring(drawing(100, 50, 'a "name" <&>', clipped(PANEL, line(PANEL, [(0, 0)], "x"))))
    assert root.get("aria-label") == root.findtext("title") == 'a "name" <&>'
    assert root.get("viewBox") == "0 0 100 50"


def test_tiles_fill_their_box_row_by_row():
    boxes = tiled(Box(0, 0, 110, 50), columns=2, rows=2, gap=(10, 10))
    assert [(b.left, b.top) for b in boxes] == [(0, 0), (60, 0), (0, 30), (60, 30)]
    assert {(b.width, b.height) for b in boxes} == {(50, 20)}


@given(st.lists(st.floats(-1e9, 1e9) | st.just(math.nan) | st.just(math.inf)), st.none() | st.floats(-10, 10))
def test_padded_range_is_never_empty_and_holds_every_finite_value(values, around):
    low, high = padded_range(values, around=around)
    assert low < high
    assert all(low <= value <= high for value in values if math.isfinite(value))
