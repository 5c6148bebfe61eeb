from datetime import datetime, timedelta

import pytest
from starlette.testclient import TestClient

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.market.symbol import Symbol
from make_us_rich.models.quantiles import LEVEL_KEYS
from make_us_rich.serving.schemas import ForecastAnswer, ForecastListAnswer
from make_us_rich.testing.artifacts import toy_draft
from trial_desk import END, hourly_candles

BTC_FORECAST = "/v1/forecasts/BTC-USDT"
STEP_FIELDS = {
    "horizon",
    "target_time",
    "median",
    "quantiles",
    "probability_up",
    "served_by",
    "is_baseline",
    "remark",
    "evidence",
    "live",
}


def evidence(horizon, served_by="toy"):
    return HorizonEvidence(
        horizon=horizon,
        folds=4,
        blocks=12,
        n=2016,
        skill={"persistence": 0.04, "ewma_persistence": 0.02, "volatility": None},
        skill_sd=0.01,
        p_value={"persistence": 0.001, "ewma_persistence": 0.01, "volatility": None},
        coverage_90=0.91,
        coverage_se=0.01,
        served_by=served_by,
    )


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


def test_a_forecast_answers_in_the_agreed_shape(client):
    answer = client.get(BTC_FORECAST).json()
    assert answer.keys() == {
        *(
            "symbol",
            "timeframe",
            "market",
            "notice",
            "cutoff",
            "last_close",
            "steps",
            "recorded",
            "model",
            "stale",
            "age_seconds",
        )
    }
    assert answer["model"].keys() == {"name", "version", "kind", "trained_at", "data_end"}
    assert [step["horizon"] for step in answer["steps"]] == [1, 2, 4, 8, 12, 24]
    for step in answer["steps"]:
        assert step.keys() == STEP_FIELDS
        assert tuple(step["quantiles"]) == LEVEL_KEYS
        assert step["quantiles"]["0.5"] == step["median"]
        assert step["live"] == {
            "n": 0,
            "skill": None,
            "skill_low": None,
            "skill_high": None,
            "coverage_90": None,
            "verdict": "too early to tell",
        }
    assert (answer["symbol"], answer["timeframe"], answer["market"]) == ("BTC/USDT", "1h", "replay")
    assert datetime.fromisoformat(answer["cutoff"]) == END
    ForecastAnswer.model_validate(answer)


def test_where_nothing_is_promoted_the_baseline_answers_and_says_so(client):
    answer = client.get(BTC_FORECAST).json()
    assert {(step["served_by"], step["is_baseline"], step["evidence"]) for step in answer["steps"]} == {
        ("persistence", True, None)
    }
    assert answer["model"] == {
        "name": "price.BTC-USDT.1h",
        "version": None,
        "kind": "price",
        "trained_at": None,
        "data_end": None,
    }


def test_a_champion_answers_with_the_evidence_of_each_horizon(desk, client_of):
    served_by = {"1": "toy", "2": "toy", "4": "toy", "8": "toy", "12": "toy", "24": "persistence"}
    scores = {"toy": (evidence(1),), "persistence": (evidence(24, "persistence"),)}
    desk.promote(toy_draft(changes={"served_by": served_by, "evidence": scores}))
    steps = {step["horizon"]: step for step in client_of(desk).get(BTC_FORECAST).json()["steps"]}
    assert steps[1]["evidence"] == {
        "n": 2016,
        "blocks": 12,
        "skill": {"persistence": 0.04, "ewma_persistence": 0.02, "volatility": None},
        "p_value": {"persistence": 0.001, "ewma_persistence": 0.01, "volatility": None},
        "coverage_90": 0.91,
    }
    assert steps[2]["evidence"] is None
    assert steps[24]["is_baseline"]
    assert steps[24]["evidence"]["n"] == 2016


def test_the_model_that_answers_is_named_with_its_age(desk, client_of):
    desk.promote()
    model = client_of(desk).get(BTC_FORECAST).json()["model"]
    assert model == {
        "name": "price.BTC-USDT.1h",
        "version": 1,
        "kind": "price",
        "trained_at": "2024-03-01T02:00:00Z",
        "data_end": "2024-03-01T01:00:00Z",
    }


@pytest.mark.parametrize(
    "path",
    [
        BTC_FORECAST,
        "/v1/forecasts",
        "/v1/symbols",
        "/v1/candles/BTC-USDT",
        "/v1/quality/BTC-USDT",
        "/v1/models",
    ],
)
def test_every_answer_of_a_simulated_market_says_so(new_desk, client_of, path):
    client = client_of(new_desk("simulated"))
    client.get(BTC_FORECAST)
    assert client.get(path).json()["notice"].startswith("SIMULATED")


def test_a_real_market_carries_no_notice(new_desk, client_of):
    assert client_of(new_desk("live")).get(BTC_FORECAST).json()["notice"] is None


def test_who_has_the_answer_gets_no_body(client):
    first = client.get(BTC_FORECAST)
    again = client.get(BTC_FORECAST, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize("wanted", ["*", '"x", {etag}', "{strong}"])
def test_every_form_of_if_none_match_is_understood(client, wanted):
    etag = client.get(BTC_FORECAST).headers["etag"]
    header = wanted.format(etag=etag, strong=etag.removeprefix("W/"))
    assert client.get(BTC_FORECAST, headers={"If-None-Match": header}).status_code == 304


def test_the_validator_stays_while_only_the_age_moves_on(desk, client):
    first = client.get(BTC_FORECAST)
    desk.clock.moment += timedelta(minutes=10)
    later = client.get(BTC_FORECAST)
    assert later.json()["age_seconds"] == first.json()["age_seconds"] + 600
    assert later.headers["etag"] == first.headers["etag"]


def test_the_validator_changes_when_the_forecast_becomes_stale(desk, client):
    fresh = client.get(BTC_FORECAST).headers["etag"]
    desk.clock.moment = END + timedelta(hours=3)
    assert client.get(BTC_FORECAST, headers={"If-None-Match": fresh}).status_code == 200


def test_a_fresh_answer_may_be_kept_until_the_next_candle_closes(new_desk, client_of):
    desk = new_desk("live")
    desk.clock.moment = END + timedelta(minutes=20)
    assert client_of(desk).get(BTC_FORECAST).headers["cache-control"] == "max-age=2400"


def test_a_stale_answer_has_to_be_asked_for_again(new_desk, client_of):
    desk = new_desk("live")
    desk.clock.moment = END + timedelta(hours=2)
    assert client_of(desk).get(BTC_FORECAST).headers["cache-control"] == "no-cache"


def test_an_answer_of_a_replay_is_not_kept_by_the_clock_of_the_client(client):
    assert client.get(BTC_FORECAST).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("age", "stale"),
    [
        (timedelta(0), False),
        (timedelta(minutes=62), False),
        (timedelta(minutes=62, seconds=1), True),
        (timedelta(hours=23, minutes=59), True),
    ],
)
def test_a_forecast_is_stale_once_a_newer_candle_should_be_there(desk, client, age, stale):
    client.get(BTC_FORECAST)
    desk.clock.moment = END + age
    answer = client.get(BTC_FORECAST).json()
    assert (answer["stale"], answer["age_seconds"]) == (stale, age.total_seconds())


def test_a_forecast_whose_targets_have_all_passed_is_not_answered(desk, client):
    client.get(BTC_FORECAST)
    desk.clock.moment = END + timedelta(hours=24)
    answer = client.get(BTC_FORECAST)
    assert answer.status_code == 503
    assert "its newest forecast was about 2024-04-11 00:00, which has passed" in answer.json()["detail"]


def test_a_late_first_answer_holds_only_what_lies_ahead_and_no_next_close(desk, client_of):
    desk.clock.moment = END + timedelta(hours=5)
    client = client_of(desk)
    answer = client.get(BTC_FORECAST).json()
    ForecastAnswer.model_validate(answer)
    assert ([step["horizon"] for step in answer["steps"]], answer["recorded"]) == ([8, 12, 24], False)
    refused = client.put("/predict", params={"currency": "btc", "compare": "usdt", "token": "x"})
    assert refused.status_code == 503
    assert "has passed and its candle is not here" in refused.json()["detail"]


def test_beyond_the_limit_nothing_is_answered(desk, client):
    client.get(BTC_FORECAST)
    desk.clock.moment = END + timedelta(hours=48, seconds=1)
    answer = client.get(BTC_FORECAST)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert "closed 48 hours ago" in answer.json()["detail"]


def test_the_list_holds_every_forecast_and_why_others_are_missing(desk, client_of):
    desk.add_candles(hourly_candles(END - timedelta(days=3), END), Symbol("ETH", "USDT"))
    client = client_of(desk)
    single = client.get(BTC_FORECAST).json()
    client.get("/v1/forecasts/ETH-USDT")
    answer = client.get("/v1/forecasts")
    ForecastListAnswer.model_validate(answer.json())
    assert answer.json()["forecasts"] == [single]
    (missing,) = answer.json()["unavailable"]
    assert missing["symbol"] == "ETH/USDT"
    assert "fetch more" in missing["reason"]


def test_the_list_is_conditional_too(client):
    client.get(BTC_FORECAST)
    etag = client.get("/v1/forecasts").headers["etag"]
    assert client.get("/v1/forecasts", headers={"If-None-Match": etag}).status_code == 304


def test_in_the_list_a_forecast_that_is_too_old_is_unavailable(desk, client):
    client.get(BTC_FORECAST)
    desk.clock.moment = END + timedelta(hours=50)
    answer = client.get("/v1/forecasts").json()
    assert answer["forecasts"] == []
    assert [one["symbol"] for one in answer["unavailable"]] == ["BTC/USDT"]


def test_an_empty_store_answers_with_empty_lists(empty_desk, client_of):
    client = client_of(empty_desk)
    assert client.get("/v1/forecasts").json()["forecasts"] == []
    assert client.get("/v1/symbols").json()["symbols"] == []
    assert client.get("/v1/models").json()["models"] == []
