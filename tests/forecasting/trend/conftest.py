"""A desk with one coin's days; see `trend_desk`."""

import pytest

from trend_desk import TrendDesk, daily_candles


@pytest.fixture
def empty_desk(tmp_path):
    return TrendDesk(tmp_path)


@pytest.fixture
def desk(empty_desk):
    return empty_desk.add_days(daily_candles())
