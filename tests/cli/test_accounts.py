"""`mur users`, `mur tokens`, `mur doctor --migrate`, and how a first administrator comes in."""

import json
import re
import sqlite3
import urllib.error
import urllib.request

import pytest

from make_us_rich.database.engine import open_database
from make_us_rich.database.schema import create_if_absent, downgrade

PASSWORD = "seven white horses"


@pytest.fixture
def recent(mur):
    """A hundred days of simulated candles, up to now."""
    command = ("fetch", "BTC/USDT", "--source", "simulated", "--since", "100d")
    assert mur(*command).status == 0


def ask(address, order=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = None if order is None else json.dumps(order).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_users_are_added_listed_disabled_and_reset(mur):
    added = mur("users", "add", "Ada", "--role", "admin", "--json").record
    assert added["name"] == "ada"
    assert added["login_path"].startswith("/login?code=")
    mur("users", "add", "ben")
    listed = mur("users", "list", "--json").record["users"]
    assert [(user["name"], user["role"], user["has_password"]) for user in listed] == [
        ("ada", "admin", False),
        ("ben", "member", False),
    ]
    assert mur("users", "disable", "ben", "--json").record == {"name": "ben", "disabled": True}
    assert "disabled" in mur("users", "list").out.splitlines()[1]
    assert mur("users", "disable", "ben", "--enable").out == "ben is let in again\n"
    assert mur("users", "reset", "ben", "--json").record["login_path"] != added["login_path"]


@pytest.mark.parametrize(
    ("command", "finding"),
    [
        (("users", "add", "ada"), "exists already"),
        (("users", "add", "a b"), "user name"),
        (("users", "add", "cleo", "--role", "king"), "role 'king'"),
        (("users", "disable", "nobody"), "nobody does not exist"),
        (("users", "disable", "ada"), "no administrator"),
        (("tokens", "create", "nobody"), "nobody does not exist"),
        (("tokens", "create", "ada", "--scope", "write"), "scopes write"),
        (("tokens", "revoke", "x"), "does not exist"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(mur, command, finding):
    mur("users", "add", "ada", "--role", "admin")
    answer = mur(*command)
    assert (answer.status, answer.out) == (2, "")
    assert finding in answer.line


def test_tokens_are_made_listed_and_revoked(mur):
    mur("users", "add", "ada")
    made = mur("tokens", "create", "ada", "--name", "notebook", "--days", "30", "--json").record
    assert re.fullmatch(r"mur_[0-9a-f]{12}_[\w-]{43}", made["token"])
    assert mur("tokens", "create", "ada").out.startswith("mur_")
    listed = mur("tokens", "list", "ada", "--json").record["tokens"]
    assert [token["name"] for token in listed] == ["notebook", "command line"]
    assert made["token"] not in json.dumps(listed)
    assert mur("tokens", "revoke", made["id"], "--json").record["revoked"]
    assert "revoked" in mur("tokens", "list").out


def test_the_first_start_prints_a_link_that_works_once_and_reading_needs_a_token(start, mur, recent):
    server = start("serve", "--port", "0", MUR_PUBLIC_READ="false")
    address = server.wait_for("Serving").split()[-1]
    code = server.wait_for("login?code=").strip().partition("code=")[2]
    assert ask(f"{address}/v1/forecasts/BTC-USDT")[0] == 401
    status, me = ask(f"{address}/v1/login", {"code": code, "password": PASSWORD})
    assert (status, me["name"], me["role"]) == (200, "admin", "admin")
    assert ask(f"{address}/v1/login", {"code": code, "password": PASSWORD})[0] == 401
    token = mur("tokens", "create", "admin").out.strip()
    assert ask(f"{address}/v1/forecasts/BTC-USDT", token=token)[1]["symbol"] == "BTC/USDT"


def test_a_database_of_an_older_version_is_refused_by_serve_and_migrated_when_told(start, mur, home, recent):
    database = open_database(f"sqlite:///{home / 'desk.db'}")
    create_if_absent(database)
    downgrade(database)
    database.close()
    refused = start("serve", "--port", "0").result()
    assert refused.status == 1
    assert "`mur doctor --migrate`" in refused.line
    mur("doctor", "--migrate", "--market", "simulated")
    with sqlite3.connect(home / "desk.db") as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    connection.close()
    assert mur("users", "list").out == "no users\n"


@pytest.mark.slow
def test_nothing_that_lets_anybody_in_is_ever_logged(start, mur, recent, home):
    server = start(
        "serve", "--port", "0", MUR_PUBLIC_READ="false", MUR_ACCESS_LOG="true", MUR_LOG_LEVEL="debug"
    )
    address = server.wait_for("Serving").split()[-1]
    code = server.wait_for("login?code=").strip().partition("code=")[2]  # printed for a person, not logged
    urllib.request.urlopen(f"{address}/login?code={code}").close()
    ask(f"{address}/v1/login", {"code": code, "password": PASSWORD})
    ask(f"{address}/v1/login", {"name": "admin", "password": "wrong " + PASSWORD})
    token = mur("tokens", "create", "admin", "--scope", "read", "--scope", "admin").out.strip()
    invitation = ask(f"{address}/v1/admin/invitations", {}, token)[1]["code"]
    urllib.request.urlopen(f"{address}/login?invitation={invitation}").close()
    made = ask(f"{address}/v1/tokens", {"name": "x"}, token)[1]["token"]
    request = urllib.request.Request(
        f"{address}/predict?currency=btc&compare=usdt&token={made}", method="PUT"
    )
    urllib.request.urlopen(request).close()
    ask(f"{address}/v1/forecasts/BTC-USDT", token=made[:-1])
    log = server.interrupt().err
    key = (home / "secret_key").read_text()
    assert "path=/predict" in log, "the access log is on"
    assert "token=…" in log
    for secret in (code, PASSWORD, token, token[17:], invitation, made, made[17:], key):
        assert secret not in log
