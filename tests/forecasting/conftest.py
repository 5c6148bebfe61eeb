"""Desks to make forecasts on; see `trial_desk`."""

import pytest

from trial_desk import TrialDesk, hourly_candles


@pytest.fixture
def empty_desk(tmp_path):
    return TrialDesk(tmp_path)


@pytest.fixture
def desk(empty_desk):
    return empty_desk.add_candles(hourly_candles())


@pytest.fixture
def shelf(empty_desk):
    return empty_desk.shelf
