"""A shelf of the replay market in a fresh folder."""

import pytest

from make_us_rich.forecasting.kinds import open_shelf


@pytest.fixture
def shelf(tmp_path):
    return open_shelf(tmp_path / "replay" / "shelf", "replay")
