"""A desk with one coin's days, and its API: the routes of trends and models alone."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from make_us_rich.serving.champions import AllChampions, Champions
from make_us_rich.serving.problems import install_problems
from make_us_rich.serving.routes.models import add_model_routes
from make_us_rich.serving.routes.trends import add_trend_routes
from make_us_rich.serving.trends.predictor import TrendPredictor
from trend_desk import TrendDesk, daily_candles


@pytest.fixture
def empty_desk(tmp_path):
    return TrendDesk(tmp_path)


@pytest.fixture
def desk(empty_desk):
    return empty_desk.add_days(daily_candles())


@pytest.fixture
def predictor(desk):
    return TrendPredictor(desk.view)


@pytest.fixture
def client(desk, predictor):
    app = FastAPI()
    install_problems(app)
    add_trend_routes(app, desk.view, predictor)
    add_model_routes(app, desk.view, AllChampions(Champions(desk.shelf), predictor.champions))
    return TestClient(app, raise_server_exceptions=False)
