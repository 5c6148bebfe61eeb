"""A desk whose API knows ada, an administrator, and ben, a member, on both databases."""

import pytest
from starlette.testclient import TestClient

from make_us_rich.accounts.tokens import TokenRequest, create_token
from make_us_rich.forecasting.board import Board
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.serving.access import Access, utc_now
from make_us_rich.serving.app import create_app
from trial_desk import TrialDesk, hourly_candles
from trial_people import ADA, BEN, add_people

KEY = b"k" * 32


@pytest.fixture
def people(database):
    return add_people(database, utc_now())


@pytest.fixture
def desk(tmp_path):
    return TrialDesk(tmp_path / "replay").add_candles(hourly_candles())


@pytest.fixture
def open_app(desk, people):
    """Return a function that makes an API with the settings of a test."""

    def build(**settings):
        journal = Journal(people, desk.view.market)
        board = Board(desk.view, JournalRecords(journal))
        return create_app(board, Access(people, KEY, **settings), journal)

    return build


@pytest.fixture
def open_client(open_app):
    """Return a function that makes clients of one API with the settings of a test."""
    started = []

    def build(**settings):
        client = TestClient(open_app(**settings), raise_server_exceptions=False, follow_redirects=False)
        started.append(client.__enter__())
        return client

    yield build
    for client in started:
        client.__exit__(None, None, None)


@pytest.fixture
def client(open_client):
    return open_client()


@pytest.fixture
def bearer(people):
    """Return a function that makes a token and returns the header that carries it."""

    def build(name="ben", *scopes, **request):
        request = TokenRequest("test", scopes or ("read",), **request)
        return {"Authorization": f"Bearer {create_token(people, name, request, utc_now())[1]}"}

    return build


@pytest.fixture
def log_in():
    """Return a function that logs a client in and returns the header its changes need."""

    def build(client, name="ben"):
        order = {"name": name, "password": {"ada": ADA, "ben": BEN}[name]}
        answer = client.post("/v1/login", json=order)
        assert answer.status_code == 200, answer.text
        return {"X-CSRF-Token": answer.json()["csrf_token"]}

    return build
