"""Health, stored candles, models, errors and documentation."""

import io
import re
import time
import zipfile
from datetime import timedelta

import polars as pl
import pytest
from starlette.testclient import TestClient

from make_us_rich.errors import ArtifactError, DataError, ForecastUnavailableError, StoreError, UsageError
from make_us_rich.forecasting.price.artifact import PRICE_ARTIFACT
from make_us_rich.registry.artifact import ArtifactDraft, load_artifact
from make_us_rich.registry.shelf import Decision
from make_us_rich.serving.schemas import (
    CandleListAnswer,
    ModelCard,
    ModelListAnswer,
    Problem,
    QualityAnswer,
    SymbolListAnswer,
)
from make_us_rich.testing.artifacts import toy_draft
from trial_desk import END, START, hourly_candles

NAME = "price.BTC-USDT.1h"


def wait_for_champion(client, version):
    deadline = time.monotonic() + 30
    while client.get("/v1/forecasts/BTC-USDT").json()["model"]["version"] != version:
        assert time.monotonic() < deadline, f"version {version} is not served"
        time.sleep(0.02)


def problem(answer, status):
    """The problem an answer holds, which must be one in every respect."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found = Problem.model_validate(answer.json())
    assert found.status == status
    assert "\n" not in found.detail
    return found


# health


def test_the_process_is_healthy_before_anything_can_be_served(empty_desk):
    with TestClient(empty_desk.app()) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        problem(client.get("/readyz"), 503)


def test_it_is_ready_once_a_forecast_can_be_served(client):
    client.get("/v1/forecasts/BTC-USDT")
    assert client.get("/readyz").json() == {"status": "ready", "forecasts": 1}


def test_it_is_not_ready_when_every_forecast_is_too_old(desk, client):
    client.get("/v1/forecasts/BTC-USDT")
    desk.clock.moment = END + timedelta(days=3)
    assert int(client.get("/readyz").headers["retry-after"]) > 0
    problem(client.get("/readyz"), 503)


# market


def test_symbols_name_what_is_stored(client):
    answer = client.get("/v1/symbols").json()
    SymbolListAnswer.model_validate(answer)
    assert answer["symbols"] == [
        {
            "symbol": "BTC/USDT",
            "timeframe": "1h",
            "source": "recorded",
            "first": "2024-01-01T00:00:00Z",
            "last": "2024-04-09T23:00:00Z",
        }
    ]


def test_candles_are_the_last_closed_ones_oldest_first(client):
    answer = client.get("/v1/candles/BTC-USDT?limit=3").json()
    CandleListAnswer.model_validate(answer)
    expected = hourly_candles().tail(3)
    assert [candle["close"] for candle in answer["candles"]] == expected["close"].to_list()
    assert answer["candles"][-1]["open_time"] == "2024-04-09T23:00:00Z"


def test_five_hundred_candles_are_returned_unless_told(client):
    assert len(client.get("/v1/candles/BTC-USDT").json()["candles"]) == 500


def test_a_candle_that_has_not_closed_by_the_clock_is_not_returned(desk, client):
    desk.clock.moment = END - timedelta(minutes=30)
    assert (
        client.get("/v1/candles/BTC-USDT?limit=1").json()["candles"][0]["open_time"] == "2024-04-09T22:00:00Z"
    )


@pytest.mark.parametrize("limit", ["0", "-1", "5001", "many"])
def test_a_limit_out_of_range_is_refused_by_name(client, limit):
    found = problem(client.get(f"/v1/candles/BTC-USDT?limit={limit}"), 422)
    assert found.errors[0]["location"] == "query.limit"


def test_quality_counts_and_locates_what_is_wrong(empty_desk):
    empty_desk.add_candles(hourly_candles().filter(pl.col("open_time") != START + timedelta(hours=5)))
    with TestClient(empty_desk.app()) as client:
        answer = client.get("/v1/quality/BTC-USDT").json()
    QualityAnswer.model_validate(answer)
    assert (answer["expected"], answer["present"], answer["missing"]) == (2400, 2399, 1)
    assert answer["gaps"] == [{"after": "2024-01-01T04:00:00Z", "missing": 1}]


@pytest.mark.parametrize("path", ["forecasts", "candles", "quality"])
def test_an_unknown_symbol_is_a_404_that_names_those_there_are(client, path):
    assert "there are: BTC/USDT 1h" in problem(client.get(f"/v1/{path}/DOGE-USDT"), 404).detail


@pytest.mark.parametrize("path", ["forecasts", "candles", "quality"])
@pytest.mark.parametrize(("address", "finding"), [("BTCUSDT", "BASE/QUOTE"), ("BTC-USDT?timeframe=7h", "7h")])
def test_a_malformed_symbol_or_timeframe_is_a_422(client, path, address, finding):
    assert finding in problem(client.get(f"/v1/{path}/{address}"), 422).detail


# models


def test_an_empty_shelf_lists_no_models(client):
    assert client.get("/v1/models").json()["models"] == []


def test_a_model_that_was_never_promoted_is_listed_as_not_in_service(desk, client):
    desk.shelf.shelve(toy_draft())
    (model,) = client.get("/v1/models").json()["models"]
    assert (model["version"], model["champion_version"], model["versions"]) == (None, None, [1])
    problem(client.get(f"/v1/models/{NAME}/artifact"), 404)


def test_the_list_says_why_the_champion_is_not_the_version_in_service(desk):
    desk.promote()
    second = desk.promote()
    (desk.shelf.folder(NAME, second) / "model.onnx").write_bytes(b"broken")
    with TestClient(desk.app()) as restarted:
        restarted.get("/v1/forecasts/BTC-USDT")
        answer = restarted.get("/v1/models").json()
    ModelListAnswer.model_validate(answer)
    (model,) = answer["models"]
    assert (model["version"], model["champion_version"]) == (None, 2)
    assert "SHA-256" in model["problem"]


def test_the_card_tells_making_scores_and_history(desk, client):
    version = desk.promote()
    desk.shelf.record_decision(
        NAME,
        Decision(at=END, version=version, kind="first", promoted=True, reasons=("p = 0.001 at horizon 1",)),
    )
    wait_for_champion(client, version)
    card = client.get(f"/v1/models/{NAME}").json()
    ModelCard.model_validate(card)
    assert card["served_by"]["1"] == "toy"
    assert card["making"]["snapshot"]["rows"] == 1441
    assert card["making"]["experiment"] == {"model": "toy", "spread": 0.01}
    assert card["decisions"][0]["reasons"] == ["p = 0.001 at horizon 1"]
    assert card["explanation"] is None


def test_the_card_explains_what_the_model_looks_at(desk, client):
    draft = toy_draft()
    explained = {
        **draft.payloads,
        "explain.json": b'{"inputs": [{"name": "range", "rise": 3.5}, {"rise": NaN}]}',
    }
    desk.promote(ArtifactDraft(draft.manifest, explained))
    wait_for_champion(client, 1)
    explanation = client.get(f"/v1/models/{NAME}").json()["explanation"]
    assert explanation == {"inputs": [{"name": "range", "rise": 3.5}, {"rise": None}]}


def test_the_bundle_is_the_artifact_byte_for_byte(desk, client, tmp_path):
    version = desk.promote()
    wait_for_champion(client, version)
    answer = client.get(f"/v1/models/{NAME}/artifact")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{NAME}-v1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "bundle")
    assert load_artifact(tmp_path / "bundle", "replay", PRICE_ARTIFACT).manifest.version == version
    again = client.get(f"/v1/models/{NAME}/artifact", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", [NAME, f"{NAME}/artifact"])
def test_an_unknown_model_is_a_404(client, path):
    assert "not on the shelf" in problem(client.get(f"/v1/models/{path}"), 404).detail


@pytest.mark.parametrize("name", ["..%2F..%2Fetc", "%2e%2e%2f%2e%2e"])
def test_a_model_name_that_is_a_path_leads_nowhere(client, name):
    problem(client.get(f"/v1/models/{name}"), 404)


@pytest.mark.parametrize("name", ["price.BTC-USDT", "price.BTC-USDT.7h", "price.btc-usdt.1h"])
def test_a_malformed_model_name_is_a_422(client, name):
    problem(client.get(f"/v1/models/{name}"), 422)


# errors


def test_an_unknown_address_is_a_problem(client):
    assert "/docs" in problem(client.get("/v2/forecasts"), 404).detail


def test_a_method_that_is_not_offered_is_a_problem(client):
    answer = client.post("/v1/symbols")
    problem(answer, 405)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("wrong"), 422),
        (DataError("gaps"), 503),
        (ForecastUnavailableError("later"), 503),
        (StoreError("/secret/place: broken"), 503),
        (ArtifactError("/secret/place: broken"), 503),
        (RuntimeError("/secret/place"), 500),
    ],
)
def test_every_error_of_the_house_becomes_a_problem(desk, error, status):
    app = desk.app()

    @app.get("/failing")
    def fail():
        raise error

    client = TestClient(app, raise_server_exceptions=False)
    found = problem(client.get("/failing"), status)
    assert "/secret/place" not in found.detail
    assert found.instance == "/failing"


def test_problems_are_never_kept_by_a_cache(client):
    assert client.get("/nothing").headers["cache-control"] == "no-store"


# documentation


def test_the_documentation_loads_nothing_from_outside(client):
    page = client.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) == 3
    for address in addresses:
        assert address.startswith("/docs/assets/")
        assert client.get(address).status_code == 200
    assert "http" not in page.replace("http-equiv", "")


def test_the_bundled_documentation_understands_the_version_of_the_schema(client):
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
    script = client.get("/docs/assets/swagger-ui-bundle.js").text
    assert re.search(r'PACKAGE_VERSION:"5\.', script), "Swagger UI reads OpenAPI 3.1 from version 5 on"


def test_the_root_leads_to_the_documentation(client):
    assert client.get("/", follow_redirects=False).headers["location"] == "/docs"


def test_every_documented_route_says_how_it_fails(client):
    schema = client.get("/openapi.json").json()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                if status.startswith(("4", "5")):
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)
    parameters = {one["name"] for one in schema["paths"]["/v1/forecasts/{symbol}"]["get"]["parameters"]}
    assert parameters == {"symbol", "timeframe"}
