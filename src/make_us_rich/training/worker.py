"""How a worker process begins.

The module imports nothing heavy, so that a worker obeys before torch is loaded, which takes seconds.
"""

import multiprocessing
import os
import signal
import threading


def become_worker() -> None:
    """End at once and silently when interrupted, and when the process that gives the work is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end(*_: object) -> None:
    os._exit(130)  # a version stands whole on the shelf or not at all, so there is nothing to finish


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _end()
