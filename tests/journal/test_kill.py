import os
import subprocess
import sys
from pathlib import Path

from make_us_rich.database.engine import open_database
from make_us_rich.database.schema import create_if_absent
from trial_journal import closes_of, contents, play, trial

KILLS = 20
HOURS = 300


def test_twenty_kills_at_random_moments_change_nothing(database, database_url, tmp_path):
    """Each child goes on where the one before it was killed, wherever that was."""
    script = Path(__file__).parent / "killed_writer.py"
    ended = subprocess.run(
        [sys.executable, str(script), database_url, "7", str(KILLS)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) == KILLS, "the work was done before all were killed"

    undisturbed = open_database(f"sqlite:///{tmp_path / 'undisturbed.db'}")
    create_if_absent(undisturbed)
    play(trial(undisturbed), closes_of(HOURS))
    assert contents(trial(database)) == contents(trial(undisturbed))
    undisturbed.close()
