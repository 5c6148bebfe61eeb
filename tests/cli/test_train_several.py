import pytest

SPAN = ("--since", "250d", "--until", "2024-01-01")
RECIPE = ("--market", "simulated", "--preset", "volatility", *SPAN)


@pytest.mark.slow
def test_every_stored_pair_is_trained_and_one_that_fails_stops_no_other(mur, simulated_year):
    short = ("fetch", "ETH/USDT", "--source", "simulated", "--since", "20d", "--until", "2024-01-01")
    assert mur(*short).status == 0
    answer = mur("train", "--all", *RECIPE, "--workers", "2", "--json")
    assert answer.status == 1
    assert set(answer.record) == {"models", "failed"}
    assert [(model["name"], model["version"]) for model in answer.record["models"]] == [
        ("price.BTC-USDT.1h", 1)
    ]
    (failure,) = answer.record["failed"]
    assert failure["name"] == "price.ETH-USDT.1h"
    assert "training needs" in failure["reason"]
    assert "price.BTC-USDT.1h: version 1, " in answer.err
    assert "Training 2 models: 0%" in answer.err


def test_several_that_fail_are_summed_up(mur, simulated_year):
    answer = mur("train", "DOGE/USDT", "XRP/USDT", "--market", "simulated")
    assert answer.status == 1
    lines = answer.out.splitlines()
    assert lines[0].startswith("price.DOGE-USDT.1h: FAILED, DOGE/USDT 1h: no candles are stored")
    assert lines[-1] == "0 trained, 0 promoted, 2 failed."


@pytest.mark.parametrize("arguments", [(), ("BTC/USDT", "--all")])
def test_it_has_to_be_said_what_to_train(mur, arguments):
    answer = mur("train", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert "name the pairs to train" in answer.line


def test_all_of_nothing_says_how_to_get_candles(mur, home):
    answer = mur("train", "--all", "--market", "replay")
    assert answer.status == 2
    assert "`mur fetch SYMBOL…` gets some" in answer.line


def test_at_least_one_process_trains(mur):
    assert mur("train", "BTC/USDT", "ETH/USDT", "--workers", "0").status == 2
