"""What the project promises: one version, plain constraints, few targets, documented commands."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
import typer.main

import make_us_rich
from make_us_rich.cli import app

ROOT = Path(__file__).parents[1]
COMMANDS = typer.main.get_command(app)
LOCK_FILES = {"uv.lock", "poetry.lock", "Pipfile.lock", "package-lock.json", "pdm.lock"}


def tracked_files():
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("this copy of the project is no git checkout, so its tracked files cannot be listed")
    return [Path(line) for line in listing.stdout.splitlines()]


def leaves(command, path=()):
    """Every command that does something, with its path of names."""
    children = getattr(command, "commands", None)
    if not children:
        return [(path, command)]
    return [leaf for name, child in children.items() for leaf in leaves(child, (*path, name))]


def test_the_version_has_one_source():
    assert version("make-us-rich") == make_us_rich.__version__


def test_the_changelog_names_the_version():
    assert f"## [{make_us_rich.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_constraints_are_plain_versions_without_addresses():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", line), (
            f"not a plain name==version: {line}"
        )


def test_no_lock_file_and_no_market_data_is_tracked():
    for path in tracked_files():
        assert path.name not in LOCK_FILES, f"{path} can carry registry addresses; constraints.txt is enough"
        assert path.suffix not in {".parquet", ".feather"}, f"{path}: candles stay outside the project"


def test_the_makefile_has_at_most_ten_targets_and_help_lists_each():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split()
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"help", "up", "test", "check", "bench", "prove"} <= set(targets)
    assert len(targets) <= 10
    assert [name for name in targets if f"make {name} " not in shown] == []


def test_the_makefile_names_no_address_but_the_cpu_index():
    addresses = re.findall(r"https?://\S+", (ROOT / "Makefile").read_text())
    assert addresses == ["https://download.pytorch.org/whl/cpu"]


@pytest.mark.parametrize("kind", ["bench", "prove"])
def test_a_script_that_does_not_exist_is_answered_with_the_list(kind):
    answer = subprocess.run(
        ["make", "-o", ".venv/.ready-to-test", kind, "WHAT=nothing-of-this-name"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode != 0
    assert f"make {kind} WHAT=" in answer.stdout
    for script in sorted((ROOT / "scripts" / kind).glob("*.py")):
        assert script.stem in answer.stdout


@pytest.mark.parametrize(
    ("path", "command"), leaves(COMMANDS), ids=lambda part: " ".join(part) if isinstance(part, tuple) else ""
)
def test_every_command_and_option_is_documented(path, command):
    documented = (ROOT / "docs" / "commands.md").read_text()
    section = re.search(rf"^### mur {' '.join(path)}\b.*?(?=^##|\Z)", documented, re.MULTILINE | re.DOTALL)
    assert section, f"docs/commands.md has no section '### mur {' '.join(path)}'"
    for parameter in (one for one in command.params if not getattr(one, "hidden", False)):
        for option in [name for name in parameter.opts if name.startswith("--")]:
            assert f"`{option}" in section[0], (
                f"docs/commands.md does not say what {option} does for mur {' '.join(path)}"
            )


def test_every_documented_command_exists():
    documented = re.findall(
        r"^### mur ([a-z ]+?)(?: [A-Z\[].*)?$", (ROOT / "docs" / "commands.md").read_text(), re.MULTILINE
    )
    assert sorted(documented) == sorted(" ".join(path) for path, _ in leaves(COMMANDS))


def test_decisions_are_numbered_and_say_what_was_decided():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        assert "**Decided**" in path.read_text(), path.name


def test_links_between_documents_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r'(?:\]\(|src="|srcset=")(?!https?:|#)([^)"#]+)', page.read_text()):
            assert (page.parent / target).exists(), (
                f"{page.relative_to(ROOT)} links to {target}, which is not there"
            )
