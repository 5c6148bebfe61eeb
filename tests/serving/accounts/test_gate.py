"""Who is let in, what for, and how often."""

import time
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.tokens import list_tokens, revoke_token
from make_us_rich.accounts.users import UserChange, change_user
from make_us_rich.errors import StoreError
from make_us_rich.forecasting.board import Board
from make_us_rich.journal.journal import Journal
from make_us_rich.serving.access import Access, utc_now
from make_us_rich.serving.app import create_app
from make_us_rich.serving.request_limits import MOST_BYTES
from make_us_rich.serving.schemas import Problem
from trial_desk import TrialDesk, hourly_candles

READING = "/v1/forecasts/BTC-USDT"


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate(answer.json())


@pytest.mark.parametrize(
    "path", [READING, "/v1/symbols", "/v1/me", "/v1/admin/users", "/v2/anything", "/logout"]
)
def test_nobody_reads_without_a_token_or_a_login(client, path):
    answer = client.get(path)
    assert "/login" in problem(answer, 401).detail
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/openapi.json", "/login", "/"])
def test_health_and_documentation_stay_open(client, path):
    assert client.get(path).status_code in {200, 307}


def test_a_token_reads(client, bearer):
    answer = client.get(READING, headers=bearer())
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith(("private", "no-cache"))
    assert "Authorization" in answer.headers["vary"]


def test_a_login_reads_and_its_calls_do_not_count(client, log_in):
    log_in(client)
    assert client.get(READING).status_code == 200
    assert client.get("/v1/me").json()["calls_this_month"] == 0


@pytest.mark.parametrize("text", ["", "x", "mur_000000000000_" + "x" * 43, "mur_é"])
@pytest.mark.parametrize("is_public", [True, False])
def test_a_wrong_token_is_never_let_in_not_even_where_reading_is_public(open_client, text, is_public):
    client = open_client(public_read=is_public)
    found = problem(client.get(READING, headers={"Authorization": f"Bearer {text}".encode()}), 401)
    assert "unknown, revoked or expired" in found.detail


def test_where_reading_is_public_accounts_are_not(open_client):
    client = open_client(public_read=True)
    assert client.get(READING).status_code == 200
    for path in ("/v1/me", "/v1/tokens", "/v1/watchlist", "/v1/admin/users"):
        problem(client.get(path), 401)


def test_credentials_of_a_proxy_before_us_are_not_ours(client, log_in):
    log_in(client)
    assert client.get(READING, headers={"Authorization": "Basic eDp5"}).status_code == 200


def test_a_revocation_is_felt_within_a_second_wherever_it_was_made(client, bearer, people):
    headers = bearer()
    assert client.get(READING, headers=headers).status_code == 200
    revoke_token(people, list_tokens(people)[0].token.id, utc_now())  # as another replica does it
    time.sleep(1.0)
    problem(client.get(READING, headers=headers), 401)


def test_disabling_a_user_ends_their_logins_and_tokens(client, bearer, log_in, people):
    headers = bearer()
    log_in(client)
    change_user(people, "ben", UserChange(is_disabled=True), Deed("tests", utc_now()))
    time.sleep(1.0)
    problem(client.get("/v1/me"), 401)
    problem(client.get("/v1/me", headers=headers), 401)


# administrators


def test_members_do_not_administer_however_they_come_in(client, bearer, log_in):
    problem(client.get("/v1/admin/users", headers=bearer("ben")), 403)
    problem(client.get("/v1/admin/users", headers=bearer("ada", "read")), 403)
    assert client.get("/v1/admin/users", headers=bearer("ada", "admin")).status_code == 200
    log_in(client, "ben")
    for path in ("users", "invitations", "usage", "audit"):
        problem(client.get(f"/v1/admin/{path}"), 403)


def test_where_everybody_may_read_an_answer_to_somebody_is_still_kept_by_no_proxy(tmp_path, people, bearer):
    view = TrialDesk(tmp_path / "simulated", "simulated").add_candles(hourly_candles()).view
    board, journal = Board(view), Journal(people, "simulated")
    board.refresh()
    app = create_app(board, Access(people, b"k" * 32, public_read=True), journal)
    with TestClient(app) as client:
        public = client.get("/v1/forecasts").headers
        own = client.get("/v1/forecasts", headers=bearer("ben")).headers
    assert public["cache-control"].startswith("max-age=")
    assert own["cache-control"].startswith("private, max-age=")
    assert public["vary"] == own["vary"] == "Authorization, Cookie"


def test_an_unknown_address_of_administrators_is_told_to_them_alone(client, log_in):
    problem(client.get("/v1/admin/nothing"), 401)
    log_in(client, "ben")
    problem(client.get("/v1/admin/nothing"), 403)


@pytest.mark.parametrize(
    "path", ["/v1/admin/", "//v1/admin/users", "/v1/./admin/users", "/v1/admin%2Fusers", "/v1/Admin/users"]
)
def test_spelling_the_address_otherwise_leads_no_member_to_an_administrators_route(client, bearer, path):
    assert client.get(path, headers=bearer("ben")).status_code in {403, 404}


# the month and the minute


def test_every_answer_says_what_is_left_and_the_last_call_is_followed_by_429(open_client, bearer):
    client, headers = open_client(monthly_quota=3), bearer()
    left = [client.get(READING, headers=headers).headers["ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = client.get(READING, headers=headers)
    assert "3 calls of this month" in problem(refused, 429).detail
    assert refused.headers["ratelimit-limit"] == "3"
    now = datetime.now(UTC)
    begins = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    assert int(refused.headers["retry-after"]) == pytest.approx((begins - now).total_seconds(), abs=5)
    assert refused.headers["ratelimit-reset"] == refused.headers["retry-after"]
    me = client.get("/v1/me", headers=headers)
    assert (me.status_code, me.json()["calls_this_month"]) == (200, 3), "one's account stays in reach"


def test_two_tokens_of_a_user_share_their_month_and_other_users_do_not(open_client, bearer):
    client = open_client(monthly_quota=2)
    for _ in range(2):
        assert client.get(READING, headers=bearer()).status_code == 200
    problem(client.get(READING, headers=bearer()), 429)
    assert client.get(READING, headers=bearer("ada")).status_code == 200


def test_a_users_own_quota_comes_before_that_of_the_settings(open_client, bearer, people):
    client, headers = open_client(monthly_quota=1), bearer()
    change_user(people, "ben", UserChange(monthly_quota=2), Deed("tests", utc_now()))
    assert [client.get(READING, headers=headers).status_code for _ in range(3)] == [200, 200, 429]


def test_a_minute_has_an_end_and_what_it_refuses_does_not_count(open_client, bearer):
    client, headers = open_client(rate_limit_per_minute=2), bearer()
    assert [client.get(READING, headers=headers).status_code for _ in range(2)] == [200, 200]
    refused = client.get(READING, headers=headers)
    assert "2 calls a minute" in problem(refused, 429).detail
    assert 1 <= int(refused.headers["retry-after"]) <= 31
    assert (refused.headers["ratelimit-limit"], refused.headers["ratelimit-remaining"]) == ("2", "0")
    assert "ratelimit-limit" in client.get("/v1/me", headers=bearer("ada")).headers


def test_a_token_remembers_its_last_use(client, bearer, people):
    client.get(READING, headers=bearer())
    used = list_tokens(people, "ben")[0].token.last_used_at
    assert (utc_now() - used).total_seconds() < 60


@pytest.mark.parametrize("path", ["/v1/me", "/v1/tokens", "/v1/admin/users", READING])
def test_a_token_remembers_its_last_use_whatever_it_was_used_for(client, bearer, people, path):
    assert client.get(path, headers=bearer("ada", "read", "admin")).status_code == 200
    used = list_tokens(people, "ada")[0].token.last_used_at
    assert (utc_now() - used).total_seconds() < 60


def test_a_token_remembers_uses_that_need_no_database_and_those_once_a_minute(
    open_client, bearer, people, monkeypatch
):
    noted = []
    monkeypatch.setattr("make_us_rich.serving.metering.note_use", lambda *told: noted.append(told[1]))
    client, headers, others = open_client(monthly_quota=1_000_000), bearer(), bearer()
    for _ in range(4):
        assert client.get(READING, headers=headers).status_code == 200
    assert len(noted) == 1
    assert client.get(READING, headers=others).status_code == 200
    assert len(noted) == 2, "a second token of a user whose calls are lent"


def test_a_use_that_cannot_be_noted_is_answered_all_the_same(client, bearer, monkeypatch):
    headers = bearer()

    def fail(*_):
        raise StoreError("/secret/place: broken")

    monkeypatch.setattr("make_us_rich.serving.metering.note_use", fail)
    assert client.get("/v1/me", headers=headers).status_code == 200


def test_a_database_that_fails_is_a_503_and_tells_nothing(client, bearer, monkeypatch):
    headers = bearer()

    def fail(*_):
        raise StoreError("/secret/place: broken")

    monkeypatch.setattr("make_us_rich.serving.metering.take_calls", fail)
    found = problem(client.get(READING, headers=headers), 503)
    assert "secret" not in found.detail


# changes


def test_a_change_from_a_browser_needs_the_word_of_its_login(client, log_in):
    word = log_in(client)
    order = {"name": "notebook"}
    assert "X-CSRF-Token" in problem(client.post("/v1/tokens", json=order), 403).detail
    problem(client.post("/v1/tokens", json=order, headers={"X-CSRF-Token": "x" * 64}), 403)
    problem(client.post("/v1/tokens", json=order, headers={"X-CSRF-Token": "é".encode()}), 403)
    assert client.post("/v1/tokens", json=order, headers=word).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_change_another_site_makes_is_refused_even_with_the_word(client, log_in, headers):
    word = log_in(client)
    assert (
        "another site"
        in problem(client.post("/v1/tokens", json={"name": "x"}, headers=word | headers), 403).detail
    )
    problem(client.post("/v1/login", json={"name": "ben", "password": "x"}, headers=headers), 403)


def test_a_change_our_own_page_makes_is_accepted(client, log_in):
    headers = log_in(client) | {"Origin": "http://testserver"}
    assert client.post("/v1/tokens", json={"name": "x"}, headers=headers).status_code == 201
    headers |= {"Sec-Fetch-Site": "same-origin", "Origin": "http://name-before-the-proxy"}
    assert client.post("/v1/tokens", json={"name": "x"}, headers=headers).status_code == 201


def test_a_token_for_reading_changes_nothing(client, bearer):
    problem(client.post("/v1/tokens", json={"name": "x"}, headers=bearer()), 403)
    problem(client.put("/v1/watchlist/BTC-USDT", json={"amount": 1}, headers=bearer()), 403)
    assert client.post("/v1/tokens", json={"name": "x"}, headers=bearer("ada", "admin")).status_code == 201


# what every answer carries


@pytest.mark.parametrize("path", ["/healthz", READING, "/login", "/nothing", "/docs"])
def test_every_answer_tells_browsers_to_keep_to_it(open_client, path):
    answer = open_client(public_read=True).get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "strict-transport-security" not in answer.headers


def test_an_unexpected_error_carries_them_too(open_client, monkeypatch):
    client = open_client(public_read=True)
    monkeypatch.setattr("make_us_rich.serving.routes.market.check_quality", lambda *_: 1 / 0)
    answer = client.get("/v1/quality/BTC-USDT")
    problem(answer, 500)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_other_site_may_ask(client):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answer = client.options(READING, headers=asked)
    assert "access-control-allow-origin" not in answer.headers


def test_a_request_that_is_too_large_is_refused_announced_or_not(client, log_in):
    word = log_in(client)
    large = b'{"name": "' + b"x" * MOST_BYTES + b'"}'
    problem(client.post("/v1/tokens", content=large, headers=word), 413)
    chunks = (large[start : start + 1000] for start in range(0, len(large), 1000))
    problem(
        client.post("/v1/tokens", content=chunks, headers=word | {"Content-Type": "application/json"}), 413
    )
