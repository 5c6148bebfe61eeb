"""What is said beside an answer comes as whole lines, whoever says something, and tells no secrets."""

import re
import subprocess
import sys

SEVERAL_THREADS = """
import sys, threading
import structlog
from make_us_rich.commands.answer import begin, say
from make_us_rich.desk.progress import ProgressReport

begin()
progress = ProgressReport()
log = structlog.get_logger().warning
sys.setswitchinterval(1e-6)
voices = [
    lambda: [say("said") for _ in range(300)],
    lambda: [progress.say("reported") for _ in range(300)],
    lambda: [log("logged") for _ in range(300)],
] * 2
threads = [threading.Thread(target=voice) for voice in voices]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""

AN_ERROR_AMONG_SECRETS = """
import structlog
from make_us_rich.commands.answer import begin

def log_in(password, token):
    raise RuntimeError("nobody expected this")

begin()
try:
    log_in("seven " + "white horses", "mur_" + "0123456789ab_secret")
except RuntimeError as error:
    structlog.get_logger().error("unexpected error", path="/v1/login", exc_info=error)
"""


def test_lines_of_several_threads_are_never_joined(home):
    ran = subprocess.run(
        [sys.executable, "-u", "-c", SEVERAL_THREADS], capture_output=True, text=True, check=True, timeout=60
    )
    lines = ran.stderr.splitlines()
    assert lines.count("said") == lines.count("reported") == 600
    assert sum("logged" in line for line in lines) == len(lines) - 1200 == 600


def test_a_logged_traceback_says_where_but_not_what_the_variables_were(home):
    command = [sys.executable, "-c", AN_ERROR_AMONG_SECRETS]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
    first = said.splitlines()[0]
    assert re.fullmatch(r"[\d-]{10} [\d:]{8} \[error +\] unexpected error +path=/v1/login", first)
    assert "in log_in" in said
    assert "RuntimeError: nobody expected this" in said
    assert "white horses" not in said
    assert "mur_" not in said
