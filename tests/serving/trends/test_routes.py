import io
import json
import zipfile
from datetime import timedelta

import pytest

from make_us_rich.serving.trend_schemas import TrendAnswer
from make_us_rich.testing.trend_artifacts import ToyTrendModel, toy_trend_evidence
from trend_desk import ADA, DOWN, END, UP, TrendDesk, daily_candles

UNPROVEN = {"served_by": "random_walk", "evidence": {"pool": toy_trend_evidence(skill=-0.01)}}


def trends(client, **asked):
    answer = client.get("/v1/trends", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_trend_has_the_agreed_shape(desk, client):
    desk.promote_trend()
    (made,) = trends(client, direction="up")["trends"]
    assert set(made) == {
        "symbol", "timeframe", "direction", "cutoff", "target_time", "last_close", "label", "probability",
        "served_by", "is_baseline", "baselines", "challenger", "evidence", "model", "stale", "age_seconds",
        "recorded", "market", "notice",
    }  # fmt: skip
    TrendAnswer.model_validate(made)
    assert (made["symbol"], made["direction"], made["timeframe"]) == ("SOL/USDT", "up", "1d")
    assert (made["cutoff"], made["target_time"]) == ("2024-04-10T00:00:00Z", "2024-04-20T00:00:00Z")
    assert made["label"] == {"kind": "sma-change", "average": 10, "horizon": 10, "threshold": 0.05}
    assert (made["served_by"], made["is_baseline"], made["model"]["version"]) == ("toy", False, 1)
    assert set(made["baselines"]) == {"base_rate", "momentum", "random_walk"}
    assert (made["stale"], made["age_seconds"]) == (False, 60)


def test_the_evidence_is_that_of_the_recipe_that_was_judged(desk, client):
    desk.promote_trend()
    (made,) = trends(client, direction="up")["trends"]
    assert made["evidence"] == {
        "forecaster": "pool",
        "n": 720,
        "blocks": 18,
        "roc_auc": 0.82,
        "brier": 0.16,
        "skill": {"base_rate": 0.04, "momentum": 0.04, "random_walk": 0.04},
        "p_value": {"base_rate": 0.01, "momentum": 0.01, "random_walk": 0.01},
    }


def test_a_model_that_is_not_proven_does_not_answer_and_is_shown_as_such(desk, client):
    desk.shelve_trend(changes=UNPROVEN)
    (made,) = trends(client, direction="up")["trends"]
    assert (made["served_by"], made["is_baseline"]) == ("random_walk", True)
    assert made["probability"] == made["baselines"]["random_walk"]
    assert made["model"] == {
        "name": "trend-up.SOL-USDT.1d",
        "version": None,
        "kind": "trend-up",
        "trained_at": None,
        "data_end": None,
    }
    assert (made["challenger"]["version"], made["challenger"]["is_proven"]) == (1, False)
    assert made["evidence"]["skill"]["random_walk"] == -0.01


def test_all_coins_of_a_direction_are_sorted_by_probability(desk, client):
    for seed, symbol in enumerate(("ADA/USDT", "BTC/USDT", "ETH/USDT"), start=1):
        desk.add_days(daily_candles(seed=seed), type(ADA).parse(symbol))
    found = trends(client, direction="down")["trends"]
    assert {one["direction"] for one in found} == {"down"}
    assert len(found) == 4
    probabilities = [one["probability"] for one in found]
    assert probabilities == sorted(probabilities, reverse=True)


def test_without_a_direction_both_are_answered(client):
    assert {one["direction"] for one in trends(client)["trends"]} == {"up", "down"}


def test_a_coin_without_a_trend_is_named_with_the_reason(desk, client):
    desk.add_days(daily_candles(60), ADA)
    answer = trends(client, direction="up")
    assert [one["symbol"] for one in answer["trends"]] == ["SOL/USDT"]
    (missing,) = answer["unavailable"]
    assert (missing["symbol"], missing["direction"]) == ("ADA/USDT", "up")
    assert "needs 250 candles, found 60" in missing["reason"]


def test_one_coin_is_answered_both_ways(client):
    answer = client.get("/v1/trends/SOL-USDT").json()
    assert {one["direction"] for one in answer["trends"]} == {"up", "down"}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/trends/ADA-USDT", 404, "ADA/USDT 1d: no candles are stored"),
        ("/v1/trends/SOL-USDT?timeframe=4h", 404, "SOL/USDT 4h: no candles are stored"),
        ("/v1/trends/SOL-USDT?timeframe=4d", 422, "not known; choose one of"),
        ("/v1/trends/SOL", 422, "not of the form BASE/QUOTE"),
        ("/v1/trends?direction=sideways", 422, "direction"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client, path, status, words):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_a_coin_with_too_short_a_history_is_503(desk, client):
    desk.add_days(daily_candles(60), ADA)
    answer = client.get("/v1/trends/ADA-USDT")
    assert answer.status_code == 503
    assert "needs 250 candles" in answer.json()["detail"]


def test_a_late_candle_is_marked_and_a_very_late_one_ends_the_answers(desk, client):
    trends(client)
    desk.wait(1.5)
    assert [one["stale"] for one in trends(client)["trends"]] == [True, True]
    desk.wait(2.1)
    assert trends(client)["trends"] == []
    assert "answers end at 48" in trends(client)["unavailable"][0]["reason"]
    assert client.get("/v1/trends/SOL-USDT").status_code == 503


def test_who_holds_the_answer_gets_304_until_it_changes(desk, client, board):
    first = client.get("/v1/trends/SOL-USDT")
    asked = {"If-None-Match": first.headers["etag"]}
    desk.clock.moment = END + timedelta(hours=5)
    assert client.get("/v1/trends/SOL-USDT", headers=asked).status_code == 304
    desk.promote_trend()
    board.refresh()
    assert client.get("/v1/trends/SOL-USDT", headers=asked).status_code == 200


@pytest.mark.parametrize(("market", "kept"), [("live", "max-age=3600"), ("replay", "no-cache")])
def test_an_answer_is_kept_for_an_hour_at_most_because_models_change(tmp_path, market, kept):
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from make_us_rich.forecasting.board import Board
    from make_us_rich.serving.routes.trends import add_trend_routes

    view = TrendDesk(tmp_path, market).add_days(daily_candles()).view
    app = FastAPI()
    add_trend_routes(app, Board(view))
    assert TestClient(app).get("/v1/trends").headers["cache-control"] == kept


def test_without_daily_candles_the_list_is_empty(client, desk):
    for part in (desk.root / "candles").rglob("*.parquet"):
        part.unlink()
    assert trends(client) == {"market": "replay", "notice": None, "trends": [], "unavailable": []}


# -- model cards -------------------------------------------------------------------------------------


def test_the_card_of_a_champion_has_scores_features_and_history(desk, client, board):
    desk.promote_trend()
    board.refresh()
    card = client.get(f"/v1/models/{UP}").json()
    assert (card["version"], card["described_version"], card["candidate"]) == (1, 1, "toy")
    assert card["evidence"]["pool"]["roc_auc"] == 0.82
    assert card["published"]["pool"]["overall_score"] == 0.67
    assert len(card["making"]["features"]) == 19
    assert card["explanation"]["features"][0] == "7_day_ADX"
    assert card["label"]["kind"] == "sma-change"


def test_the_card_of_a_name_that_was_never_promoted_describes_the_newest_version(desk, client, board):
    desk.shelve_trend(changes=UNPROVEN)
    board.refresh()
    card = client.get(f"/v1/models/{UP}").json()
    assert (card["version"], card["described_version"], card["served_by"]) == (None, 1, "random_walk")
    assert card["evidence"]["pool"]["skill"]["random_walk"] == -0.01
    assert client.get(f"/v1/models/{UP}/artifact").status_code == 404


def test_the_artifact_of_a_champion_is_its_files(desk, client, board):
    desk.promote_trend()
    board.refresh()
    answer = client.get(f"/v1/models/{UP}/artifact")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == {"manifest.json", "model.onnx", "golden.npz", "explain.json"}
        assert json.loads(archive.read("manifest.json"))["name"] == str(UP)


def test_trends_stand_in_the_list_of_models(desk, client, board):
    desk.promote_trend()
    desk.shelve_trend(direction="down", changes=UNPROVEN)
    board.refresh()
    found = {one["name"]: one["version"] for one in client.get("/v1/models").json()["models"]}
    assert found == {str(UP): 1, str(DOWN): None}


# -- the routes of the second system -------------------------------------------------------------------


def test_the_original_list_has_the_published_shape(desk, client):
    desk.promote_trend()
    desk.shelve_trend(direction="down", changes=UNPROVEN)
    answer = client.get("/models")
    assert answer.status_code == 200
    down, up = answer.json()
    assert (up["symbol"], up["trend_type"], down["trend_type"]) == ("SOL", "uptrend", "downtrend")
    assert set(up) == {
        "symbol", "trend_type", "feature_importance", "performance_metrics", "target_pct",
        "prediction_window_days",
    }  # fmt: skip
    assert up["performance_metrics"] == {
        "positive_accuracy": 0.5,
        "negative_accuracy": 0.85,
        "overall_score": 0.67,
        "accuracy": 0.75,
        "precision": 0.6,
    }
    assert up["feature_importance"]["7_day_RSI"] == 0.1
    assert (up["target_pct"], up["prediction_window_days"]) == (5.0, 10)


def test_the_original_list_describes_the_champion_and_not_what_came_after_it(desk, client):
    desk.promote_trend()
    tags = {"target_pct": 9.0}
    newest = desk.shelf.load(str(UP), 1).manifest.tags | tags
    desk.shelve_trend(changes={"tags": newest})
    assert [one["target_pct"] for one in client.get("/models").json()] == [5.0]


def test_without_a_model_the_original_list_is_empty(client):
    assert client.get("/models").json() == []


def test_an_original_prediction_is_the_served_probability_with_its_yardstick(desk, client):
    desk.promote_trend()
    answer = client.get("/prediction", params={"symbol": "SOL", "trend_type": "uptrend"})
    (made,) = trends(client, direction="up")["trends"]
    assert answer.json() == {
        "prediction_probabilities": made["probability"],
        "symbol": "SOL",
        "trend_type": "uptrend",
    }
    headers = answer.headers
    assert (headers["mur-served-by"], headers["mur-is-baseline"], headers["mur-skill"]) == (
        "toy",
        "false",
        "0.0400",
    )
    assert headers["mur-random-walk"] == f"{made['baselines']['random_walk']:.4f}"
    assert headers["mur-cutoff"] == END.isoformat()
    assert headers["link"] == '</v1/trends/SOL-USDT>; rel="successor-version"'


def test_an_original_prediction_that_a_baseline_makes_says_so(desk, client):
    desk.shelve_trend(direction="down", changes=UNPROVEN)
    answer = client.get("/prediction", params={"symbol": "sol", "trend_type": "downtrend"})
    assert (answer.json()["symbol"], answer.headers["mur-is-baseline"]) == ("SOL", "true")
    assert answer.headers["mur-skill"] == "unknown"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"symbol": "DOGE", "trend_type": "uptrend"}, 404),
        ({"symbol": "SOL", "trend_type": "downtrend"}, 404),
        ({"symbol": "SOL", "trend_type": "sidetrend"}, 422),
        ({"symbol": "SOL"}, 422),
        ({"trend_type": "uptrend"}, 422),
    ],
)
def test_an_original_prediction_that_cannot_be_made_is_a_problem(desk, client, asked, status):
    desk.promote_trend(model=ToyTrendModel())
    answer = client.get("/prediction", params=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_the_documentation_marks_the_original_routes_as_deprecated(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert all(paths[path]["get"]["deprecated"] for path in ("/models", "/prediction"))
    assert "deprecated" not in paths["/v1/trends"]["get"]
