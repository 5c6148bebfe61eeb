"""`/v1/watchlist`: what is held, now, a day ago, later, and together."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from make_us_rich.market.symbol import Symbol
from trial_desk import END, hourly_candles

ETH = Symbol("ETH", "USDT")


@pytest.fixture
def holder(desk, client, log_in):
    """Ben, logged in, on a desk with two pairs; returns a function that sets what he holds."""
    desk.add_candles(hourly_candles(seed=1), ETH)
    word = log_in(client)

    def hold(**amounts):
        for base, amount in amounts.items():
            answer = client.put(f"/v1/watchlist/{base}-USDT", json={"amount": amount}, headers=word)
            assert answer.status_code == 204, answer.text
        return client.get("/v1/watchlist").json()

    return hold


@pytest.fixture
def nine_hours_late(desk):
    """Moves the clock on before anything is computed."""
    desk.clock.moment = END + timedelta(hours=9)


def test_a_holding_is_worth_its_amount_times_the_last_close(holder, client):
    (holding,) = holder(BTC=0.5)["holdings"]
    closes = hourly_candles()["close"]
    assert holding["value"] == pytest.approx(0.5 * closes[-1])
    assert holding["change_24h"] == pytest.approx(closes[-1] / closes[-25] - 1)
    assert holding["change_24h_value"] == pytest.approx(0.5 * (closes[-1] - closes[-25]))
    forecast = client.get("/v1/forecasts/BTC-USDT").json()
    for step, told in zip(holding["steps"], forecast["steps"], strict=True):
        levels = told["quantiles"]
        assert step["interval_90"] == pytest.approx([0.5 * levels["0.05"], 0.5 * levels["0.95"]])
        assert (step["median"], step["is_baseline"]) == (
            pytest.approx(0.5 * levels["0.5"]),
            told["is_baseline"],
        )


def test_late_holdings_are_valued_over_the_targets_that_lie_ahead(nine_hours_late, holder):
    answer = holder(BTC=0.5, ETH=2)
    for valued in (*answer["holdings"], *answer["totals"]):
        assert [step["horizon"] for step in valued["steps"]] == [12, 24]


def test_one_pair_alone_keeps_its_own_interval(holder):
    answer = holder(BTC=0.5)
    (total,), (holding,) = answer["totals"], answer["holdings"]
    assert (total["quote"], total["combined_by"]) == ("USDT", "one pair: its own interval")
    assert total["steps"][0]["interval_90"] == pytest.approx(holding["steps"][0]["interval_90"])


def test_the_total_of_two_pairs_is_combined_by_the_correlation_it_states(holder):
    answer = holder(BTC=0.5, ETH=2)
    (total,) = answer["totals"]
    returns = [np.diff(np.log(hourly_candles(seed=seed)["close"].to_numpy())) for seed in (0, 1)]
    rho = np.corrcoef(returns)
    assert np.array(total["correlation"]) == pytest.approx(rho)
    assert "correlation of the returns of the past year" in total["combined_by"]
    assert total["symbols"] == ["BTC/USDT", "ETH/USDT"]
    parts = [holding["steps"][0] for holding in answer["holdings"]]
    upper = np.array([part["interval_90"][1] - part["median"] for part in parts])
    step = total["steps"][0]
    assert step["interval_90"][1] - step["median"] == pytest.approx(np.sqrt(upper @ rho @ upper))
    assert step["widest_90"][1] - step["median"] == pytest.approx(upper.sum())
    assert step["widest_90"][0] < step["interval_90"][0]
    assert total["value"] == pytest.approx(sum(holding["value"] for holding in answer["holdings"]))


def test_where_a_price_never_moved_prices_are_taken_to_move_as_one(desk, holder):
    still = hourly_candles().with_columns(
        pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close")
    )
    desk.add_candles(still, Symbol("STILL", "USDT"))
    (total,) = holder(BTC=1, STILL=1)["totals"]
    assert total["correlation"] is None
    assert "as if all prices moved as one" in total["combined_by"]
    assert all(step["interval_90"] == step["widest_90"] for step in total["steps"])


def test_a_pair_that_is_only_followed_counts_in_no_total(holder):
    answer = holder(BTC=0)
    assert [holding["value"] for holding in answer["holdings"]] == [0.0]
    assert answer["totals"] == []


def test_a_pair_without_candles_says_why_and_spoils_nothing(holder):
    answer = holder(BTC=1, DOGE=5)
    unknown = {holding["symbol"]: holding for holding in answer["holdings"]}["DOGE/USDT"]
    assert (unknown["value"], unknown["steps"]) == (None, [])
    assert "no candles are stored" in unknown["reason"]
    assert answer["totals"][0]["symbols"] == ["BTC/USDT"]


def test_others_do_not_see_what_one_holds(holder, client, log_in):
    holder(BTC=1)
    word = log_in(client, "ada")
    assert client.get("/v1/watchlist").json()["holdings"] == []
    assert client.delete("/v1/watchlist/BTC-USDT", headers=word).status_code == 404


@pytest.mark.parametrize("amount", [-1, "many", 1e300, None])
def test_an_amount_that_is_none_is_refused(client, log_in, amount):
    answer = client.put("/v1/watchlist/BTC-USDT", json={"amount": amount}, headers=log_in(client))
    assert answer.status_code == 422


# the month


def test_a_watchlist_asked_for_with_a_token_counts_as_the_forecasts_it_holds(open_client, bearer):
    client, headers = open_client(monthly_quota=2), bearer()
    left = [client.get("/v1/watchlist", headers=headers).headers["ratelimit-remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    refused = client.get("/v1/watchlist", headers=headers)
    assert (refused.status_code, refused.headers["ratelimit-limit"]) == (429, "2")
    assert int(refused.headers["retry-after"]) > 0
    assert client.get("/v1/me", headers=headers).json()["calls_this_month"] == 2
    described = client.get("/openapi.json").json()["paths"]["/v1/watchlist"]["get"]["responses"]
    assert {"200", "401", "429"} <= set(described)


def test_a_watchlist_in_a_browser_does_not_count(holder, client):
    holder(BTC=1)
    assert client.get("/v1/me").json()["calls_this_month"] == 0


def test_changing_a_watchlist_does_not_count(open_client, bearer):
    client, headers = open_client(monthly_quota=0), bearer("ada", "admin")
    assert client.put("/v1/watchlist/BTC-USDT", json={"amount": 1}, headers=headers).status_code == 204
