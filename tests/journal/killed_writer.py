"""A process whose children play hours into a journal; it kills them, and lets the last one come to the end.

    python killed_writer.py DATABASE_URL SEED KILLS

Forked from here, where everything is loaded and no thread runs, a child costs milliseconds.
"""

import os
import random
import signal
import sys
import time

from sqlalchemy import func, select

from make_us_rich.database.engine import open_database
from make_us_rich.database.journal_tables import forecasts
from trial_journal import START, closes_of, play, trial

HOURS = 300


def write(url):
    database = open_database(url)
    with database.read() as session:
        reached = session.scalar(select(func.max(forecasts.c.cutoff))) or START
    play(trial(database), closes_of(HOURS), since=reached)
    database.close()


def child(url):
    process = os.fork()
    if process == 0:
        write(url)
        os._exit(0)
    return process


def main():
    url, seed, kills = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance, killed = random.Random(seed), 0
    while killed < kills:
        process = child(url)
        time.sleep(chance.uniform(0.0, 0.08))
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        killed += os.WIFSIGNALED(status)
        if not os.WIFSIGNALED(status):
            break  # it came to its end first
    _, status = os.waitpid(child(url), 0)
    sys.stdout.write(f"{killed}\n")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
