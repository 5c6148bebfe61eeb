import signal
import subprocess
import sys

import psutil
import pytest

_GIVE_WORK = """
import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor
from make_us_rich.training.worker import become_worker

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=become_worker) as executor:
        executor.submit(int).result()
        (worker,) = multiprocessing.active_children()
        executor.submit(time.sleep, 600)
        print(worker.pid, flush=True)
"""


@pytest.fixture
def giver(tmp_path):
    """A process that gives work, and the worker it gave it to."""
    script = tmp_path / "give_work.py"
    script.write_text(_GIVE_WORK)
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    worker = psutil.Process(int(process.stdout.readline()))
    yield process, worker
    for left in (worker, process):
        if left.pid in psutil.pids():
            left.kill()
    process.communicate()


def test_a_worker_ends_with_the_process_that_gave_it_work(giver) -> None:
    process, worker = giver
    process.kill()
    process.wait()
    assert psutil.wait_procs([worker], timeout=30)[1] == []


def test_an_interrupted_worker_ends_silently(giver) -> None:
    process, worker = giver
    worker.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert psutil.wait_procs([worker], timeout=30)[1] == []
    assert "KeyboardInterrupt" not in said
