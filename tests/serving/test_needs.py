import pytest
from fastapi import FastAPI
from starlette.routing import Route

from make_us_rich.serving.needs import (
    ADMIN,
    COUNTED_MEMBER,
    LOGIN_FORM,
    MEMBER,
    OPEN,
    ORIGINAL,
    READER,
    RouteNeeds,
    needs,
    stated_need,
)


@pytest.mark.parametrize(
    ("path", "need"),
    [
        ("/healthz", OPEN),
        ("/openapi.json", OPEN),
        ("/docs", OPEN),
        ("/docs/assets/swagger-ui.css", OPEN),
        ("/login", LOGIN_FORM),
        ("/v1/forecasts", READER),
        ("/v1/forecasts/BTC-USDT", READER),
        ("/predict", ORIGINAL),
        ("/v1/me", MEMBER),
        ("/v1/tokens/abc", MEMBER),
        ("/v1/watchlist", COUNTED_MEMBER),
        ("/v1/watchlist/BTC-USDT", MEMBER),
        ("/v1/admin/users/ann/reset", ADMIN),
        ("/nowhere", READER),
        ("/v1/admin", ADMIN),
        ("/v1/admin/nothing", ADMIN),
        ("/v1/tokens/abc/nothing", MEMBER),
        ("/v1/watchlist/BTC/USDT", MEMBER),
    ],
)
def test_a_path_needs_what_its_route_states(desk, path, need):
    assert RouteNeeds(desk.app().routes).of(path) == need


def test_every_route_of_the_api_states_its_need(desk):
    unstated = [
        route.path for route in desk.app().routes if isinstance(route, Route) and not stated_need(route)
    ]
    assert unstated == []


def test_a_route_that_states_no_need_is_refused():
    app = FastAPI()

    @app.get("/stated")
    @needs(READER)
    def stated():
        """Stated."""

    assert RouteNeeds(app.routes[-1:]).of("/stated") == READER

    @app.get("/forgotten")
    def forgotten():
        """Forgotten."""

    with pytest.raises(TypeError, match="/forgotten: the route states no need"):
        RouteNeeds(app.routes[-1:])
