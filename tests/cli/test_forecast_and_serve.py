import json
import socket
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime

import pytest

from make_us_rich.operations.workplace import Workplace
from make_us_rich.testing.artifacts import toy_draft

SIMULATED = ("fetch", "BTC/USDT", "--source", "simulated")


@pytest.fixture
def recent(mur):
    """A hundred days of simulated candles, up to now."""
    assert mur(*SIMULATED, "--since", "100d").status == 0


def test_without_a_model_the_baseline_answers_and_says_so(mur, recent):
    answer = mur("forecast", "BTC/USDT")
    assert answer.status == 0
    assert answer.out.startswith("BTC/USDT 1h (SIMULATED), cutoff ")
    assert answer.out.count("persistence") == answer.out.count("baseline") == 6


def test_a_forecast_is_one_json_object_of_the_agreed_shape(mur, recent, settings):
    shelf = Workplace(settings, "simulated").shelf()
    version = shelf.shelve(toy_draft("simulated"))
    shelf.promote("price.BTC-USDT.1h", version, "test", datetime(2024, 3, 2, tzinfo=UTC))
    answer = mur("forecast", "BTC/USDT", "--json")
    record = answer.record
    assert (record["symbol"], record["market"], record["stale"]) == ("BTC/USDT", "simulated", False)
    assert record["notice"].startswith("SIMULATED")
    assert [step["horizon"] for step in record["steps"]] == [1, 2, 4, 8, 12, 24]
    assert {step["served_by"] for step in record["steps"]} == {"toy"}
    assert record["model"]["version"] == 1
    assert "champion in service" in answer.err


def test_too_old_candles_are_not_forecast_from(mur):
    mur(*SIMULATED, "--since", "100d", "--until", "2024-01-01")
    answer = mur("forecast", "BTC/USDT")
    assert (answer.status, answer.out) == (1, "")
    assert "newest candle closed" in answer.line


def test_too_little_history_for_a_baseline_says_how_much_is_needed(mur):
    mur(*SIMULATED, "--since", "10d")
    answer = mur("forecast", "BTC/USDT")
    assert (answer.status, answer.out) == (1, "")
    assert "90 days" in answer.line


def test_help_and_version_load_nothing_heavy():
    program = "import sys, make_us_rich.cli; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"torch", "lightning", "ccxt", "polars", "numpy", "fastapi", "pydantic", "onnxruntime"}
    assert heavy & set(run.stdout.split()) == set()


def test_serve_answers_until_it_is_told_to_stop(start, mur, recent):
    server = start("serve", "--port", "0")
    address = server.wait_for("Serving").split()[-1]
    with urllib.request.urlopen(f"{address}/v1/forecasts/BTC-USDT") as response:
        forecast = json.load(response)
    assert forecast["symbol"] == "BTC/USDT"
    answer = server.interrupt()
    assert (answer.status, answer.out) == (0, "")
    assert answer.line == "Stopped."


def test_a_stored_replay_is_served_as_of_its_end(start, mur, candles_folder):
    mur("fetch", "BTC/USDT", "--source", f"replay:{candles_folder / 'BINANCE'}", "--since", "100d")
    server = start("serve", "--port", "0")
    address = server.wait_for("Serving").split()[-1]
    with urllib.request.urlopen(f"{address}/v1/forecasts/BTC-USDT") as response:
        forecast = json.load(response)
    assert (forecast["cutoff"], forecast["stale"]) == ("2026-04-30T04:00:00Z", False)


@pytest.mark.parametrize("command", [("serve",), ("up", "--market", "simulated")])
def test_a_port_in_use_is_one_clear_line(mur, command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = mur(*command, "--port", port)
    assert (answer.status, answer.out) == (1, "")
    assert f"port {port} on 127.0.0.1 is in use" in answer.line
    assert "--port" in answer.line
