"""Desks to try the service on; see `trial_desk`."""

import pytest
from starlette.testclient import TestClient

from trial_desk import TrialDesk, hourly_candles


@pytest.fixture
def empty_desk(tmp_path):
    return TrialDesk(tmp_path)


@pytest.fixture
def desk(empty_desk):
    return empty_desk.add_candles(hourly_candles())


@pytest.fixture
def new_desk(tmp_path):
    def build(market):
        return TrialDesk(tmp_path / market, market).add_candles(hourly_candles())

    return build


@pytest.fixture
def client(desk):
    """A client of the desk's API; the server answers its own errors instead of raising them."""
    with TestClient(desk.app(), raise_server_exceptions=False) as client:
        yield client
