"""Runs an exported model as somebody who never heard of us: in its folder, with nothing of ours to import."""

import os
import subprocess
import sys

_STRANGER = """
import runpy, sys
sys.modules["make_us_rich"] = None
runpy.run_path("predict.py", run_name="__main__")
"""


def run_example(folder):
    return subprocess.run(
        [sys.executable, "-I", "-c", _STRANGER],
        cwd=folder, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
