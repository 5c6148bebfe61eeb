"""The homes earlier versions left, unpacked, and what they answered then."""

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from homes.home_desk import HomeDesk, unpack

FOLDER = Path(__file__).parent / "0.1.0"


@pytest.fixture(scope="session")
def record() -> dict[str, Any]:
    """What the home of 0.1.0 answered, by question."""
    content: dict[str, Any] = orjson.loads(lzma.decompress((FOLDER / "answers.json.xz").read_bytes()))
    return content


@pytest.fixture(scope="session")
def secrets() -> dict[str, str]:
    """The passwords, tokens and codes that open the home of 0.1.0."""
    content: dict[str, str] = orjson.loads((FOLDER / "people.json").read_bytes())["secrets"]
    return content


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of 0.1.0 as it was left; nobody writes there."""
    return unpack(FOLDER / "home.tar.xz", tmp_path_factory.mktemp("left"))


@pytest.fixture(scope="session")
def desk(home: Path, secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeDesk]:
    """The home, to be asked."""
    desk = HomeDesk(home, secrets, tmp_path_factory.mktemp("asked"))
    yield desk
    desk.close()
