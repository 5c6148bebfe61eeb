"""A shelf of the replay market in a fresh folder."""

import pytest

from make_us_rich.registry.shelf import Shelf


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "replay" / "shelf", "replay")
