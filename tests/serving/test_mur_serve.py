"""A real `mur serve` in its own process: what it imports, and how it changes champions under load."""

import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from make_us_rich.models.quantiles import LEVEL_KEYS
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from trial_desk import TrialDesk, hourly_candles

NAME = "price.BTC-USDT.1h"
FORBIDDEN = {"torch", "lightning", "sklearn", "xgboost", "lightgbm", "shap", "mlflow", "prefect", "pandas"}
START_SECONDS = 60
PATIENCE_SECONDS = 30  # far more than the two seconds a pick-up takes, because other tests run beside


class MurServe:
    """The process, its port, and the lines it wrote to stderr."""

    def __init__(self, home, *python_options, **environment):
        command = [
            sys.executable,
            *python_options,
            "-m",
            "make_us_rich.cli",
            "serve",
            "--market",
            "replay",
            "--port",
            "0",
        ]
        self.process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"MUR_HOME": str(home), "MUR_PUBLIC_READ": "true"} | environment,
            cwd=home,
        )
        self.lines = []
        self._arriving = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port = self._wait_for_port()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            self._arriving.put(line)
        self._arriving.put(None)

    def _wait_for_port(self):
        deadline = time.monotonic() + START_SECONDS
        while (line := self._arriving.get(timeout=deadline - time.monotonic())) is not None:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        raise AssertionError("".join(self.lines[-20:]))

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20)
        self._reader.join()
        self.process.stderr.close()
        return status


def ask(connection, path="/v1/forecasts/BTC-USDT"):
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def wait_for_version(connection, version):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if ask(connection)[1]["model"]["version"] == version:
            return
        time.sleep(0.02)
    raise AssertionError(f"version {version} was never served")


@pytest.fixture
def desk_on_disk(tmp_path):
    desk = TrialDesk(tmp_path / "replay").add_candles(hourly_candles())
    desk.promote()
    return desk


@pytest.mark.slow
def test_a_server_with_a_champion_has_imported_nothing_of_the_training(desk_on_disk, tmp_path):
    served = MurServe(tmp_path, "-X", "importtime")
    try:
        connection = served.connect()
        wait_for_version(connection, 1)
        for path in (
            "/v1/symbols",
            "/v1/candles/BTC-USDT",
            "/v1/quality/BTC-USDT",
            f"/v1/models/{NAME}",
            "/docs",
        ):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, path
        connection.close()
    finally:
        status = served.stop()
    assert status == 0
    imported = {line.rsplit("|", 1)[1].strip() for line in served.lines if line.startswith("import time:")}
    assert {"make_us_rich.serving.app", "onnxruntime", "polars"} <= imported, (
        "the trace holds what was imported"
    )
    assert {name for name in imported if name.split(".")[0] in FORBIDDEN} == set()


@pytest.mark.slow
def test_champions_change_under_load_without_a_lost_request(desk_on_disk, tmp_path):
    served = MurServe(tmp_path)
    stop, failures, seen = threading.Event(), [], [[] for _ in range(4)]

    def load(versions):
        connection = served.connect()
        while not stop.is_set():
            try:
                status, answer = ask(connection)
            except (OSError, http.client.HTTPException, ValueError) as error:
                failures.append(repr(error))
                return
            if status != 200:
                failures.append(answer)
            versions.append(
                (answer["model"]["version"], answer["steps"][0]["quantiles"]["0.95"] / answer["last_close"])
            )
        connection.close()

    connection = served.connect()
    wait_for_version(connection, 1)
    loaders = [threading.Thread(target=load, args=(versions,)) for versions in seen]
    for loader in loaders:
        loader.start()
    try:
        for version in (2, 3, 4):
            desk_on_disk.promote(toy_draft(model=ToyPriceModel(spread=0.01 * version)))
            wait_for_version(connection, version)
    finally:
        stop.set()
        for loader in loaders:
            loader.join()
        connection.close()
        status = served.stop()
    assert failures == []
    assert status == 0
    for versions in seen:
        numbers = [version for version, _ in versions]
        assert numbers == sorted(numbers), "nobody is sent back to an older champion"
        assert set(numbers) == {1, 2, 3, 4}
    widths = {
        version: ToyPriceModel(spread=0.01 * version).factors[0][LEVEL_KEYS.index("0.95")]
        for version in (1, 2, 3, 4)
    }
    for version, width in {pair for versions in seen for pair in versions}:
        assert width == pytest.approx(widths[version]), "the version and the numbers belong together"


@pytest.mark.slow
def test_a_broken_champion_changes_nothing_while_serving(desk_on_disk, tmp_path):
    served = MurServe(tmp_path)
    connection = served.connect()
    try:
        wait_for_version(connection, 1)
        second = desk_on_disk.shelf.shelve(toy_draft())
        (desk_on_disk.shelf.folder(NAME, second) / "golden.npz").write_bytes(b"broken")
        pointer = desk_on_disk.shelf.root / NAME / "champion.json"
        pointer.write_text(pointer.read_text().replace('"version":1', f'"version":{second}'))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (card := ask(connection, f"/v1/models/{NAME}")[1])["problem"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert (card["version"], card["champion_version"]) == (1, 2)
        assert ask(connection)[1]["model"]["version"] == 1
    finally:
        connection.close()
        served.stop()
