"""What is said beside an answer comes as whole lines, however many threads say something."""

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


def test_lines_of_several_threads_are_never_joined(home):
    ran = subprocess.run(
        [sys.executable, "-u", "-c", SEVERAL_THREADS], capture_output=True, text=True, check=True, timeout=60
    )
    lines = ran.stderr.splitlines()
    assert lines.count("said") == lines.count("reported") == 600
    assert sum("logged" in line for line in lines) == len(lines) - 1200 == 600
