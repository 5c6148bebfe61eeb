import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from errand import Done, Errand
from make_us_rich.operations.process import ProcessFailure, start_process

TESTS = str(Path(__file__).parents[1])
PATHS = {"PYTHONPATH": os.pathsep.join([TESTS, *filter(None, [os.environ.get("PYTHONPATH")])])}


def start(name, errand):
    return start_process(f"errand:{name}", errand, Done, PATHS)


def test_the_result_comes_back_as_the_record_it_is(tmp_path):
    running = start("add", Errand(tmp_path, (1, 2, 3)))
    assert running.result() == Done(6, tmp_path)
    assert running.is_over()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("refuse", "{}: cannot be read; restore it"),
        ("stumble", "ZeroDivisionError: by zero; this was not expected"),
        ("vanish", "vanish ended with status 9; its own lines above say why"),
        ("nothing", "AttributeError: module 'errand' has no attribute 'nothing'; this was not expected"),
    ],
)
def test_a_failure_is_one_line(name, reason, tmp_path):
    assert start(name, Errand(tmp_path)).result() == ProcessFailure(reason.format(tmp_path))


def process_in(folder):
    deadline = time.monotonic() + 60
    while not (folder / "pid").is_file() or not (folder / "pid").read_text():
        assert time.monotonic() < deadline, "it never began"
        time.sleep(0.05)
    return psutil.Process(int((folder / "pid").read_text()))


def test_what_is_cancelled_ends(tmp_path):
    running = start("linger", Errand(tmp_path))
    process = process_in(tmp_path)
    assert not running.is_over()
    running.cancel()
    assert running.is_over()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_it_ends_with_the_process_that_started_it(tmp_path):
    script = f"""
import time
from pathlib import Path
from errand import Done, Errand
from make_us_rich.operations.process import start_process
running = start_process("errand:linger", Errand(Path({str(tmp_path)!r})), Done)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], env=os.environ | PATHS)
    try:
        process = process_in(tmp_path)
    finally:
        parent.kill()
        parent.wait()
    assert psutil.wait_procs([process], timeout=30)[1] == []


def test_starting_one_loads_nothing_heavy():
    code = (
        "import make_us_rich.operations.process, make_us_rich.operations.requests, sys\nprint(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | PATHS
    ).stdout.split()
    assert not {"torch", "lightning", "sklearn", "mlflow", "pandas", "fastapi"} & set(loaded)
