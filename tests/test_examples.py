"""The examples run, at tiny size."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def one_minute(candles_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the example prints, and the picture it draws."""
    picture = tmp_path_factory.mktemp("example") / "picture.svg"
    tiny = ["--rows", "3000", "--epochs", "1", "--hidden", "2", "--output", str(picture)]
    run = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "docs" / "examples" / "one_minute.py", *tiny],
        env=os.environ | {"MUR_CANDLES": str(candles_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout, picture


def test_the_example_puts_the_yardstick_beside_the_error(one_minute: tuple[str, Path]) -> None:
    printed, _ = one_minute
    assert "3,000 minutes of BTC/USDT, 2023-05-03 05:35 to 2023-05-05 07:34" in printed
    (error,) = re.findall(
        r"^mean absolute error +network ([\d.]+) +last close repeated ([\d.]+)$", printed, re.M
    )
    (ratio,) = re.findall(r"^error ratio +([\d.]+)$", printed, re.M)
    assert float(ratio) == pytest.approx(float(error[0]) / float(error[1]), rel=0.01)


def test_both_panels_show_closes_forecasts_and_persistence(one_minute: tuple[str, Path]) -> None:
    _, picture = one_minute
    panels = ElementTree.parse(picture).getroot().findall(f"{SVG}svg")
    drawn = [[path.get("class") for path in panel.iter(f"{SVG}path")] for panel in panels]
    assert drawn == [["line persistence dashed", "line candidate", "line real"]] * 2


def test_every_example_is_listed_with_what_it_shows() -> None:
    listed = (ROOT / "docs" / "examples" / "README.md").read_text()
    for example in (ROOT / "docs" / "examples").glob("*.py"):
        assert f"]({example.name})" in listed
