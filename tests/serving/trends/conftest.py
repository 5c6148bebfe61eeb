"""A desk with one coin's days, and its API: the routes of trends and models alone."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from make_us_rich.forecasting.board import Board
from make_us_rich.serving.problems import install_problems
from make_us_rich.serving.routes.models import add_model_routes
from make_us_rich.serving.routes.trends import add_trend_routes
from trend_desk import TrendDesk, daily_candles


@pytest.fixture
def empty_desk(tmp_path):
    return TrendDesk(tmp_path)


@pytest.fixture
def desk(empty_desk):
    return empty_desk.add_days(daily_candles())


@pytest.fixture
def board(desk):
    return Board(desk.view)


@pytest.fixture
def client(board):
    app = FastAPI()
    install_problems(app)
    add_trend_routes(app, board)
    add_model_routes(app, board)
    return TestClient(app, raise_server_exceptions=False)
