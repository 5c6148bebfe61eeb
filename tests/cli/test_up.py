"""`mur up` as a process: it trains beside, serves meanwhile, and ends as it is told."""

import json
import signal
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import polars as pl
import psutil
import pytest

from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import HORIZONS
from make_us_rich.operations.workplace import Workplace
from make_us_rich.testing.artifacts import toy_draft

END = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """250 days of BTC/USDT hours, enough to train on, and no other pair."""
    since = END - timedelta(days=250)
    candles = pl.concat(SimulatedSource().fetch(Symbol("BTC", "USDT"), Timeframe("1h"), since, END))
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "BTC-USDT").mkdir()
    candles.write_parquet(folder / "BTC-USDT" / "1h.parquet")
    return folder


def read(address, path):
    with urllib.request.urlopen(f"{address}{path}") as response:
        return json.load(response)


def loaded_libraries(process):
    return {part for mapped in psutil.Process(process.pid).memory_maps() for part in mapped.path.split("/")}


def test_a_replay_runs_to_its_end_and_sums_up(start, settings, recording):
    shelf = Workplace(settings, "replay").shelf()
    shelf.shelve(toy_draft("replay", changes={"data_end": END - timedelta(days=9)}))
    shelf.promote("price.BTC-USDT.1h", 1, "a toy for a test", END - timedelta(days=9))
    desk = start(
        *("up", "--market", "replay", "--replay-from", str(recording), "--start", "2023-12-30"),
        *("--speed", "max", "--exit-at-end", "--port", "0"),
    )
    answer = desk.result()
    assert answer.status == 0, answer.err
    summed = dict(line.split(": ") for line in answer.out.splitlines())
    assert (summed["candles"], summed["forecasts"]) == ("48", str(49 * len(HORIZONS)))
    assert summed["scored"] == str(sum(49 - horizon for horizon in HORIZONS))
    assert (summed["trainings"], summed["promotions"]) == ("0", "0")
    assert "%" in summed["skill against persistence"]


def test_baselines_are_served_while_a_first_model_is_trained_and_torch_stays_outside(start, mur, recording):
    desk = start("up", "--replay-from", str(recording), "--port", "0")
    address = desk.wait_for("Serving on").split()[2].rstrip(":")
    desk.wait_for("Training price.BTC-USDT.1h")
    forecast = read(address, "/v1/forecasts/BTC-USDT")
    assert forecast["cutoff"] == "2024-01-01T00:00:00Z"
    assert {step["is_baseline"] for step in forecast["steps"]} == {True}
    (training,) = psutil.Process(desk.process.pid).children()
    assert "make_us_rich.operations.train:train_models" in training.cmdline()

    desk.wait_for("that moment is served until Ctrl-C")
    shown = mur("models", "show", "price.BTC-USDT.1h", "--json").record
    assert shown["manifest"]["data_end"] == shown["manifest"]["trained_at"] == "2024-01-01T00:00:00Z"
    if read(address, "/v1/models")["models"][0]["champion_version"] is not None:
        deadline = time.monotonic() + 30
        while read(address, "/v1/forecasts/BTC-USDT")["model"]["version"] is None:
            assert time.monotonic() < deadline, "the champion was not picked up"
            time.sleep(0.1)
    assert {"torch", "lightning", "pandas"} & loaded_libraries(desk.process) == set()
    assert desk.interrupt(signal.SIGTERM).status == 0


def test_a_desk_that_is_stopped_while_it_trains_leaves_no_process_and_starts_again(start, mur, recording):
    desk = start("up", "--replay-from", str(recording), "--port", "0")
    desk.wait_for("Training price.BTC-USDT.1h")
    children = psutil.Process(desk.process.pid).children(recursive=True)
    answer = desk.interrupt()
    assert (answer.status, answer.out) == (0, "")
    assert answer.line == "Stopped."
    assert psutil.wait_procs(children, timeout=30)[1] == []
    assert mur("models", "list", "--market", "replay", "--json").record["models"] == []
    again = start("up", "--replay-from", str(recording), "--port", "0")
    again.wait_for("Training price.BTC-USDT.1h")


def test_a_simulated_desk_says_so_wherever_it_speaks(start):
    desk = start("up", "--market", "simulated", "--symbol", "BTC/USDT", "--port", "0")
    assert "SIMULATED MARKET" in desk.wait_for("SIMULATED")
    address = desk.wait_for("Serving (SIMULATED) on").split()[3].rstrip(":")
    desk.wait_for("training one")
    for path in ("/v1/symbols", "/v1/forecasts", "/v1/candles/BTC-USDT?limit=2", "/v1/quality/BTC-USDT"):
        assert read(address, path)["notice"].startswith("SIMULATED")


def test_an_unknown_pair_ends_the_desk_with_one_line(mur):
    answer = mur("up", "--market", "simulated", "--symbol", "BCT/USDT", "--port", "0")
    assert (answer.status, answer.out) == (2, "")
    assert "did you mean BTC/USDT" in answer.line
