"""The store under processes that are killed, crowded or short of disk: real ones."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from make_us_rich.market.quality import check_quality, require_fit
from make_us_rich.market.series import Series
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

BITCOIN = Symbol("BTC", "USDT")
HOURLY = Timeframe("1h")
YEARS = 5
ROWS = YEARS * 8760

# writes pages of 500 hours from the given one on, says so after each, and starts over when all is written
WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from make_us_rich.market.series import Series
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

root, first, last, step = Path(sys.argv[1]), *map(int, sys.argv[2:])
source, bitcoin, hourly = SimulatedSource(), Symbol("BTC", "USDT"), Timeframe("1h")
hour = lambda number: datetime(2022, 1, 1, tzinfo=UTC) + timedelta(hours=number)
print("ready", flush=True)
input()  # the starting shot
for start in range(first, last, step):
    for page in source.fetch(bitcoin, hourly, hour(start), hour(start + 500)):
        CandleStore(root).append(page, Series(source.name, bitcoin, hourly))
    print(start + 500, flush=True)
"""


def start_writer(
    root: Path, first: int, last: int, step: int = 500, **options: object
) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(root), str(first), str(last), str(step)]
    writer = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def shoot(*writers: subprocess.Popen[str]) -> None:
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()


def load(root: Path) -> pl.DataFrame:
    return CandleStore(root).load(Series("simulated", BITCOIN, HOURLY))


def test_a_writer_killed_at_any_moment_loses_only_the_page_it_was_writing(tmp_path):
    written = 0
    for attempt in range(6):
        writer = start_writer(tmp_path, written, ROWS)
        shoot(writer)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.013 * attempt)
        writer.send_signal(signal.SIGKILL)
        announced = [int(line) for line in writer.communicate()[0].split()]
        stored = load(tmp_path)
        written = len(stored)
        assert written >= max(announced, default=500)
        report = check_quality(stored, BITCOIN, HOURLY, datetime(2030, 1, 1, tzinfo=UTC))
        assert report.missing == 0
        require_fit(report)
    assert written < ROWS, "every writer was killed while it worked"


def test_two_processes_appending_at_once_both_succeed(tmp_path):
    rows = 8000
    writers = [start_writer(tmp_path, first, rows, step=1000) for first in (0, 500)]
    writers.append(start_writer(tmp_path, 0, rows, step=500))
    shoot(*writers)
    for writer in writers:
        _, complaint = writer.communicate(timeout=60)
        assert writer.returncode == 0, complaint
    stored = load(tmp_path)
    assert len(stored) == rows
    assert stored["open_time"].item(-1) == datetime(2022, 1, 1, tzinfo=UTC) + timedelta(hours=rows - 1)
    assert stored["open_time"].is_unique().all()
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file size are POSIX")
def test_a_disk_that_really_refuses_to_grow_a_file_loses_nothing(tmp_path):
    import resource

    writer = start_writer(tmp_path, 0, 1000)
    writer.communicate("\n", timeout=60)
    before = load(tmp_path)

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    writer = start_writer(tmp_path, 1000, 3000, preexec_fn=small_disk)
    _, complaint = writer.communicate("\n", timeout=60)
    last_line = complaint.strip().splitlines()[-1]
    assert writer.returncode == 1
    assert "StoreError" in last_line
    assert (
        "File too large; free some space and run it again; what was stored before is untouched" in last_line
    )
    assert load(tmp_path).equals(before)
    assert not list(tmp_path.rglob("*.tmp"))
    assert (tmp_path / "simulated/BTC-USDT/1h/2022.parquet").stat().st_size > 10_000
