"""Workplaces in fresh folders."""

from pathlib import Path

import pytest

from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def place(settings: Settings) -> Workplace:
    return Workplace(settings, "simulated")
