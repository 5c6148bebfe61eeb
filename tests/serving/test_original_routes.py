"""The routes of the first Make Us Rich, asked the way its clients ask."""

import pytest
from starlette.testclient import TestClient

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.market.symbol import Symbol
from make_us_rich.serving.routes.original import recent_columns
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from trial_desk import END, HOUR, hourly_candles

ASKED = {"currency": "btc", "compare": "usdt", "token": "any"}
ROUTES = {
    "/predict": "put",
    "/update_models": "put",
    "/update_date": "put",
    "/check_models_number": "get",
}


@pytest.fixture
def client_of():
    opened = []

    def open_client(desk):
        client = TestClient(desk.app(), raise_server_exceptions=False)
        opened.append(client)
        return client.__enter__()

    yield open_client
    for client in opened:
        client.__exit__(None, None, None)


def test_a_prediction_has_the_published_shape(client):
    answer = client.put("/predict", params=ASKED)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"data", "prediction"}
    assert isinstance(answer.json()["prediction"], float)
    data = answer.json()["data"]
    assert list(data) == ["timestamp", "close_time", "open", "high", "low", "close", "volume"]
    for column in data.values():
        assert list(column) == [str(row) for row in range(5 * 24)], "rows as DataFrame.to_dict numbers them"
    assert data["timestamp"]["119"] == "2024-04-09T23:00:00"
    assert data["close_time"]["119"] == int(END.timestamp() * 1000) - 1


def test_the_prediction_is_the_median_of_the_served_forecast(desk, client_of):
    served_by = dict.fromkeys(("1", "2", "4", "8", "12", "24"), "toy")
    desk.promote(toy_draft(changes={"served_by": served_by}))
    client = client_of(desk)
    forecast = client.get("/v1/forecasts/BTC-USDT").json()
    answer = client.put("/predict", params=ASKED).json()
    assert answer["prediction"] == forecast["steps"][0]["median"]
    assert answer["data"]["close"]["119"] == forecast["last_close"]


def test_the_yardstick_stands_in_headers_beside_the_prediction(desk, client_of):
    record = HorizonEvidence(
        horizon=1,
        folds=4,
        blocks=12,
        n=2016,
        skill={"persistence": 0.0412},
        skill_sd=0.01,
        p_value={"persistence": 0.001},
        coverage_90=0.91,
        coverage_se=0.01,
        served_by="toy",
    )
    desk.promote(toy_draft(changes={"evidence": {"toy": (record,)}}))
    client = client_of(desk)
    headers = client.put("/predict", params=ASKED).headers
    step = client.get("/v1/forecasts/BTC-USDT").json()["steps"][0]
    low, high = (float(text) for text in headers["mur-interval-90"].split(", "))
    assert (low, high) == (step["quantiles"]["0.05"], step["quantiles"]["0.95"])
    assert (headers["mur-served-by"], headers["mur-is-baseline"], headers["mur-skill"]) == (
        "toy",
        "false",
        "0.0412",
    )
    assert headers["mur-cutoff"] == END.isoformat()
    assert headers["link"] == '</v1/forecasts/BTC-USDT>; rel="successor-version"'
    assert "mur-notice" not in headers


def test_a_baseline_that_answers_says_so(client):
    headers = client.put("/predict", params=ASKED).headers
    assert (headers["mur-served-by"], headers["mur-is-baseline"], headers["mur-skill"]) == (
        "persistence",
        "true",
        "unknown",
    )


def test_a_simulated_market_says_so_beside_the_prediction(new_desk, client_of):
    answer = client_of(new_desk("simulated")).put("/predict", params=ASKED)
    assert answer.headers["mur-notice"].startswith("SIMULATED")


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_the_answer_is_the_published_error_with_status_200(client, token):
    asked = {"currency": "btc", "compare": "usdt"} | ({} if token is None else {"token": token})
    answer = client.put("/predict", params=asked)
    assert answer.status_code == 200
    assert set(answer.json()) == {"error"}
    assert "You need to provide an API token" in answer.json()["error"]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"currency": "doge"}, 404, "there are: BTC/USDT 1h"),
        ({"currency": "../x"}, 422, "BASE/QUOTE"),
        ({"compare": None}, 422, "compare"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client, asked, status, words):
    given = {key: value for key, value in (ASKED | asked).items() if value is not None}
    answer = client.put("/predict", params=given)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_a_model_that_does_not_forecast_the_next_close_is_not_stretched(desk, client_of):
    horizons = (2, 3, 4, 8, 12, 24)
    served_by = {str(horizon): "toy" for horizon in horizons}
    desk.promote(toy_draft(changes={"horizons": horizons, "served_by": served_by}))
    answer = client_of(desk).put("/predict", params=ASKED)
    assert answer.status_code == 503
    assert "does not forecast the next close" in answer.json()["detail"]


def test_a_forecast_that_is_too_old_is_not_predicted_from(desk, client):
    client.put("/predict", params=ASKED)
    desk.clock.moment = END.replace(month=5)
    assert client.put("/predict", params=ASKED).status_code == 503


@pytest.mark.parametrize(
    ("path", "message"),
    [("/update_models", "All models have been updated."), ("/update_date", "Date has been updated.")],
)
def test_an_update_answers_with_the_published_message(client, path, message):
    answer = client.put(path)
    assert (answer.status_code, answer.json()) == (200, {"message": message})


def test_updating_the_models_serves_a_new_champion_at_once(desk, client_of):
    client = client_of(desk)
    client.put("/predict", params=ASKED)
    desk.promote(toy_draft(model=ToyPriceModel(spread=0.2)))
    client.put("/update_models")
    assert client.put("/predict", params=ASKED).headers["mur-served-by"] == "toy"


def test_updating_the_models_names_a_champion_that_was_refused(desk, client_of):
    version = desk.promote()
    (desk.shelf.folder("price.BTC-USDT.1h", version) / "model.onnx").write_bytes(b"broken")
    message = client_of(desk).put("/update_models").json()["message"]
    assert message == "Warning: refused price.BTC-USDT.1h; /v1/models says why."


def test_updating_the_date_reaches_the_newest_closed_candle(desk, client):
    client.put("/predict", params=ASKED)
    later = END + 2 * HOUR.duration
    desk.add_candles(hourly_candles(END, later))
    desk.clock.moment = later
    client.put("/update_date")
    assert client.put("/predict", params=ASKED).headers["mur-cutoff"] == later.isoformat()


def test_running_models_are_counted_and_named(desk, client_of):
    desk.add_candles(hourly_candles(seed=1), Symbol("ETH", "USDT"))
    desk.promote()
    desk.promote(toy_draft(symbol="ETH/USDT"))
    client = client_of(desk)
    client.put("/update_models")
    assert client.get("/check_models_number").json() == {
        "message": "Number of running models: 2",
        "models": ["btc_usdt", "eth_usdt"],
    }


def test_without_a_running_model_there_is_a_warning(client):
    answer = client.get("/check_models_number").json()
    assert set(answer) == {"message"}
    assert answer["message"].startswith("Warning: ")


def test_trade_columns_have_their_old_names_where_the_source_tells_them():
    candles = hourly_candles().head(2).with_columns(quote_volume=1.5, trades=7, taker_buy_base=None)
    columns = recent_columns(candles, HOUR)
    assert columns["quote_av"] == {"0": 1.5, "1": 1.5}
    assert columns["trades"] == {"0": 7, "1": 7}
    assert "tb_base_av" not in columns


@pytest.mark.parametrize(("path", "method"), ROUTES.items())
def test_the_documentation_marks_an_original_route_as_deprecated(client, path, method):
    described = client.get("/openapi.json").json()["paths"][path]
    assert set(described) == {method}
    assert described[method]["deprecated"] is True


def test_the_documentation_names_the_published_parameters(client):
    described = client.get("/openapi.json").json()["paths"]["/predict"]["put"]["parameters"]
    assert {one["name"]: one["required"] for one in described} == {
        "currency": True,
        "compare": True,
        "token": False,
    }
