"""`mur` as a user meets it: its exit status, its answer and what it says beside."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from make_us_rich import cli
from make_us_rich.settings import Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command left behind."""

    status: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """The one JSON object on stdout; anything else there fails the test."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The last line said on stderr."""
        return self.err.strip().splitlines()[-1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh `MUR_HOME`, with the current folder beside it, so that no `.env` of ours is read."""
    home = tmp_path / "home"
    monkeypatch.setenv("MUR_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home)


@pytest.fixture
def mur(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Answer]]:
    """Run a command in this process, through the same `main` the console script calls."""

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["mur", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, *capsys.readouterr())

    yield run
    structlog.reset_defaults()  # because a command sends the log of its whole process to stderr


class Running:
    """A command in a process of its own, in its own process group."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "make_us_rich.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
            cwd=folder,
            start_new_session=True,
        )

    def wait_for(self, words: str) -> str:
        """Read stderr until a line holds the words, and return that line."""
        assert self.process.stderr is not None
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if words in line:
                return line
        pytest.fail(f"ended without saying {words!r}:\n{''.join(seen)}")

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> Answer:
        """Send what Ctrl-C sends to everything the terminal runs, and wait for the end."""
        os.killpg(self.process.pid, number)
        return self.result()

    def result(self, timeout_seconds: float = 60.0) -> Answer:
        out, err = self.process.communicate(timeout=timeout_seconds)
        return Answer(self.process.returncode, out, err)


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a command as a process; whatever still runs when the test ends is killed."""
    started: list[Running] = []

    def run(*arguments: str, **environment: str) -> Running:
        surroundings = {"MUR_HOME": str(home), "MUR_PUBLIC_READ": "true"}  # accounts have their own tests
        running = Running(arguments, surroundings | environment, tmp_path)
        started.append(running)
        return running

    yield run
    for running in started:
        if running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGKILL)
        running.process.communicate()


@pytest.fixture
def simulated_year(mur: Callable[..., Answer]) -> Answer:
    """A store with 250 days of simulated hours of BTC/USDT, enough to train on."""
    answer = mur("fetch", "BTC/USDT", "--source", "simulated", "--since", "250d", "--until", "2024-01-01")
    assert answer.status == 0, answer.err
    return answer
