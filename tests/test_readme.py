"""The README is run: its console session against what it prints, its bash commands against what there is."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from make_us_rich.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def session(block):
    """The commands of a console block, each with the output shown below it."""
    return re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def shape(text):
    """A text without its numbers and spacing, which change from day to day and from machine to machine."""
    return re.sub(r"[ \t]+", " ", re.sub(r"[+-]?\d[\d.,e-]*\d|\d", "#", text))


@pytest.mark.parametrize("block", blocks("console"))
def test_a_session_prints_what_the_readme_shows(block, tmp_path):
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    around = {"cwd": tmp_path, "env": os.environ | {"PATH": tools, "MUR_HOME": str(tmp_path)}}
    for command, shown in session(block):
        run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, **around)
        assert run.returncode == 0, f"{command}\n{run.stderr}"
        is_shown = doctest.OutputChecker().check_output(shape(shown), shape(run.stdout), doctest.ELLIPSIS)
        assert is_shown, f"{command}\nprinted\n{run.stdout}instead of\n{shown}"


def test_there_is_a_session_to_paste():
    assert len(session(blocks("console")[0])) >= 3


def test_every_command_in_a_bash_block_exists():
    targets = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    commands = typer.main.get_command(app)
    for line in "".join(blocks("bash")).splitlines():
        words = shlex.split(line, comments=True)
        match words[0]:
            case "make":
                assert words[1] in targets, line
            case "mur":
                options = {option for part in commands.commands[words[1]].params for option in part.opts}
                assert {word for word in words[2:] if word.startswith("--")} <= options, line
            case other:
                pytest.fail(f"the README runs {other}, which nobody checks: {line}")


def test_the_two_commands_come_first():
    assert [line.split("#")[0].strip() for line in blocks("bash")[0].splitlines()] == ["make up", "make test"]
