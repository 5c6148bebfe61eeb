"""How a home is asked: the only module of this record that knows the inside of the house.

Where modules get other names, this is what has to follow; the command line and HTTP stay what they are.
"""

import contextlib
import io
import os
import shlex
import shutil
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import polars as pl
import structlog
from starlette.testclient import TestClient

from homes.questions import Commands, Question, Requests
from homes.written import written_body
from make_us_rich import cli
from make_us_rich.desk.accounts import opened_access
from make_us_rich.forecasting.board import Board
from make_us_rich.journal.histories import open_history
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.operations.workplace import Workplace, standing_clock
from make_us_rich.serving.app import create_app
from make_us_rich.settings import Settings

NOW = datetime(2024, 6, 17, 6, 30, tzinfo=UTC)
"""The moment the service takes for the present; commands go by the clock on the wall."""

TOLD_HEADERS = ("allow", "cache-control", "content-disposition", "link", "location", "www-authenticate")
_NOBODY_LISTENS = "http://127.0.0.1:9"  # so that what is said of the exchange depends on no network
_READY_SECONDS = 20.0


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a home with the times its files had, and return it."""
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    home = folder / "home"
    for key in home.glob("*/secret_key"):
        key.chmod(0o600)
    return home


def run_command(home: Path, folder: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    """Run `mur` in this process; return its status and its JSON, or the last line it said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MUR_")}
    environment |= {"MUR_HOME": str(home), "MUR_EXCHANGE_URL": _NOBODY_LISTENS}
    out, err, status, log = io.StringIO(), io.StringIO(), 0, structlog.get_config()
    with (
        patch.dict(os.environ, environment, clear=True),
        patch.object(sys, "argv", ["mur", *arguments]),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
    structlog.configure(**log)  # because a command sends the log of its whole process to stderr
    said = out.getvalue().strip()
    if said.startswith("{"):
        return {"status": status, "body": orjson.loads(said)}
    return {"status": status, "says": said or err.getvalue().strip().splitlines()[-1]}


def write_recording(home: Path, folder: Path, more_hours: int = 2) -> Path:
    """Write the stored candles of the replay as a recording that goes on for some quiet hours."""
    for series in sorted((home / "replay" / "candles" / "recorded").glob("*/*")):
        candles = pl.concat([pl.read_parquet(path) for path in sorted(series.glob("*.parquet"))])
        if series.name == "1h":
            last = candles.tail(1)
            later = [
                last.with_columns(pl.col("open_time") + timedelta(hours=n + 1)) for n in range(more_hours)
            ]
            candles = pl.concat([candles, *later])
        path = folder / "recorded" / series.parent.name / f"{series.name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        candles.write_parquet(path)
    return folder / "recorded"


class Service:
    """A running API over one market of a home."""

    def __init__(self, client: TestClient, secrets: Mapping[str, str]) -> None:
        self._client = client
        self._secrets = secrets

    def ask(self, method: str, path: str, who: str, **options: Any) -> dict[str, Any]:
        """Return what is recorded of an answer: status, media type, some headers and the body."""
        headers = self._credentials(who) | options.pop("headers", {})
        wants_again = options.pop("again", False)
        answer = self._client.request(method, path, headers=headers, **options)
        if wants_again:
            headers |= {"If-None-Match": answer.headers["etag"]}
            answer = self._client.request(method, path, headers=headers, **options)
        told = {name: answer.headers[name] for name in TOLD_HEADERS if name in answer.headers}
        told |= {name: value for name, value in answer.headers.items() if name.startswith("mur-")}
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        return {
            "status": int(answer.status_code),
            "media_type": media_type,
            "headers": told | {"has_etag": "etag" in answer.headers, "cookies": list(answer.cookies)},
            "body": written_body(path, media_type, answer.content),
        }

    def wait_for_forecasts(self, count: int) -> None:
        """Wait until so many series are forecast; the first look at them happens on a thread."""
        end = time.monotonic() + _READY_SECONDS
        while self._client.get("/readyz").json().get("forecasts") != count:
            if time.monotonic() > end:
                raise TimeoutError(f"there are no {count} forecasts")
            time.sleep(0.02)

    def _credentials(self, who: str) -> dict[str, str]:
        kind, _, name = who.partition(" ")
        if kind == "token":
            return {"Authorization": f"Bearer {self._secrets.get(f'{name}_token', name)}"}
        if kind == "login" and "X-CSRF-Token" not in self._client.headers:
            order = {"name": name.rpartition("_")[2], "password": self._secrets[f"{name}_password"]}
            answer = self._client.post("/v1/login", json=order)
            answer.raise_for_status()
            self._client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return {}


@contextlib.contextmanager
def serving(
    home: Path, market: str, secrets: Mapping[str, str], *, public_read: bool = False
) -> Iterator[Service]:
    """Serve a market of a home as `mur serve` does."""
    settings = Settings(home=home, public_read=public_read)
    place = Workplace(settings, market)  # type: ignore[arg-type]
    view = place.view(standing_clock(place, datetime.now(UTC)))
    with opened_access(settings) as access:
        history = open_history(access.database, place.market, view.clock.now(), NOW)
        journal = Journal(access.database, place.market, history.number)
        board = Board(view, JournalRecords(journal))
        app = create_app(board, replace(access, now=lambda: NOW), journal)
        with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
            service = Service(client, secrets)
            if series := view.series():
                service.wait_for_forecasts(len(series))
            yield service


class HomeDesk:
    """Asks a packed home: questions that leave no trace share a running service, others get a fresh copy."""

    def __init__(self, home: Path, secrets: Mapping[str, str], folder: Path) -> None:
        self._home = home
        self._secrets = secrets
        self._folder = folder
        self._copies = 0
        self._shared: dict[str, Service] = {}
        self._open = contextlib.ExitStack()

    def close(self) -> None:
        """End every service."""
        self._open.close()

    def answers(self, question: Question) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Return the answers to a question, and the names of the folders they may speak of."""
        if isinstance(question, Commands):
            return self._run(question)
        if not question.leaves_no_trace:
            folder = self._copy()
            with self._serving(folder / "home", question) as service:
                answers = self._ask(service, question)
            shutil.rmtree(folder)
            return answers, _places(folder)
        key = question.room
        if key not in self._shared:
            home = self._copy() / "home"
            self._shared[key] = self._open.enter_context(self._serving(home, question))
        return self._ask(self._shared[key], question), {}

    def _run(self, question: Commands) -> tuple[list[dict[str, Any]], dict[str, str]]:
        folder = self._copy()
        home, given = folder / "home", dict(self._secrets) | {"folder": str(folder)}
        if any("{recording}" in line for line in question.lines):
            given["recording"] = str(write_recording(home, folder))
        told = [(*shlex.split(line.format(**given)), "--json") for line in question.lines]
        answers = [run_command(home, folder, line) for line in told]
        shutil.rmtree(folder)
        return answers, _places(folder)

    def _ask(self, service: Service, question: Requests) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        for method, path, *more in question.calls:
            before = answers[-1]["body"] if answers else None
            said = before if isinstance(before, dict) else {}
            given = dict(self._secrets) | {
                key: said[key] for key in ("next_cursor", "csrf_token") if said.get(key)
            }
            options = _filled(more[0], given) if more else {}
            answers.append(service.ask(method, path.format(**given), question.who, **options))
        return answers

    def _serving(self, home: Path, question: Requests) -> contextlib.AbstractContextManager[Service]:
        return serving(home, question.market, self._secrets, public_read=question.is_public)

    def _copy(self) -> Path:
        self._copies += 1
        folder = self._folder / str(self._copies)
        shutil.copytree(self._home, folder / "home")
        return folder


def _places(folder: Path) -> dict[str, str]:
    return {str(folder / "home"): "<home>", str(folder): "<folder>"}


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**given)
    if isinstance(value, dict):
        return {key: _filled(inner, given) for key, inner in value.items()}
    return value
