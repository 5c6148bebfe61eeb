"""Logging in and out, tokens, administration, and the pages."""

import re
from datetime import timedelta

import pytest

from make_us_rich.accounts.logins import TRIES_PER_NAME_AND_ADDRESS
from make_us_rich.serving.access import utc_now
from make_us_rich.serving.schemas import Problem
from trial_people import BEN

PASSWORD = "a very new password"


def problem(answer, status):
    assert answer.status_code == status, answer.text
    return Problem.model_validate(answer.json())


def test_a_login_sets_a_cookie_no_script_can_read(client):
    answer = client.post("/v1/login", json={"name": "Ben", "password": BEN})
    assert (answer.json()["name"], answer.json()["role"]) == ("ben", "member")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie, "over plain HTTP a browser would not send it back"
    assert answer.headers["cache-control"] == "no-store"


def test_behind_a_trusted_proxy_with_tls_the_cookie_is_secure(open_client):
    order = {"name": "ben", "password": BEN}
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    trusting = open_client(trusted_proxies="testclient").post("/v1/login", json=order, headers=forwarded)
    assert "Secure" in trusting.headers["set-cookie"]
    assert "strict-transport-security" in trusting.headers
    wary = open_client(trusted_proxies="192.0.2.1").post("/v1/login", json=order, headers=forwarded)
    assert "Secure" not in wary.headers["set-cookie"]


def test_below_a_path_of_a_proxy_everything_works(open_client):
    client = open_client(root_path="/desk")
    answer = client.post("/desk/v1/login", json={"name": "ben", "password": BEN})
    assert "Path=/desk/" in answer.headers["set-cookie"]
    assert client.get("/desk/v1/me").json()["name"] == "ben"
    problem(client.get("/desk/v1/admin/users"), 403)
    assert 'action="/desk/login"' in client.get("/desk/login").text
    assert client.get("/login").status_code == 200, "a proxy may cut its own path off"
    assert client.get("/desk/").headers["location"] == "/desk/docs"


def test_a_wrong_password_is_a_401_and_then_a_429(client):
    for _ in range(TRIES_PER_NAME_AND_ADDRESS):
        problem(client.post("/v1/login", json={"name": "ben", "password": "wrong"}), 401)
    answer = client.post("/v1/login", json={"name": "ben", "password": BEN})
    problem(answer, 429)
    assert int(answer.headers["retry-after"]) >= 1


def test_logging_out_makes_the_cookie_worthless_at_once(client, log_in):
    word = log_in(client)
    cookie = client.cookies["mur_session"]
    answer = client.post("/v1/logout", headers=word)
    assert (answer.status_code, "mur_session" in client.cookies) == (204, False)
    client.cookies["mur_session"] = cookie
    problem(client.get("/v1/me"), 401)


def test_a_token_is_made_used_and_revoked(client, log_in):
    word = log_in(client)
    made = client.post("/v1/tokens", json={"name": "notebook", "expires_in_days": 30}, headers=word).json()
    assert re.fullmatch(r"mur_[0-9a-f]{12}_[\w-]{43}", made["token"])
    listed = client.get("/v1/tokens").json()["tokens"]
    assert [one["name"] for one in listed] == ["notebook"]
    assert "token" not in listed[0]
    client.cookies.clear()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    me = client.get("/v1/me", headers=bearer).json()
    assert (me["name"], me["csrf_token"], me["scopes"]) == ("ben", None, ["read"])
    word = log_in(client)
    assert client.delete(f"/v1/tokens/{made['id']}", headers=word).json()["revoked_at"]
    client.cookies.clear()
    problem(client.get("/v1/me", headers=bearer), 401)


@pytest.mark.parametrize("token_id", ["000000000000", "x", "%00", "a" * 500])
def test_a_token_that_does_not_exist_cannot_be_revoked(client, log_in, token_id):
    problem(client.delete(f"/v1/tokens/{token_id}", headers=log_in(client)), 404)


def test_a_member_neither_sees_nor_revokes_the_token_of_another(client, log_in):
    made = client.post("/v1/tokens", json={"name": "mine"}, headers=log_in(client, "ada")).json()
    word = log_in(client, "ben")
    assert client.get("/v1/tokens").json()["tokens"] == []
    problem(client.delete(f"/v1/tokens/{made['id']}", headers=word), 404)


def test_a_member_gets_no_token_with_the_scope_admin(client, log_in):
    problem(client.post("/v1/tokens", json={"name": "x", "scopes": ["admin"]}, headers=log_in(client)), 403)


# administration


def test_an_administrator_adds_somebody_who_chooses_a_password(client, log_in):
    word = log_in(client, "ada")
    made = client.post("/v1/admin/users", json={"name": "Cleo"}, headers=word)
    assert made.status_code == 201
    code = made.json()["login_path"].removeprefix("/login?code=")
    client.cookies.clear()
    order = {"code": code, "password": PASSWORD}
    assert client.post("/v1/login", json=order).json()["name"] == "cleo"
    problem(client.post("/v1/login", json=order), 401)


def test_an_administrator_changes_disables_and_resets(client, log_in):
    word = log_in(client, "ada")
    changed = client.patch(
        "/v1/admin/users/ben", json={"monthly_quota": 5, "is_disabled": True}, headers=word
    )
    assert (changed.json()["monthly_quota"], changed.json()["is_disabled"]) == (5, True)
    assert "login?code=" in client.post("/v1/admin/users/ben/reset", headers=word).json()["login_path"]
    users = {user["name"]: user for user in client.get("/v1/admin/users").json()["users"]}
    assert (users["ben"]["has_password"], users["ada"]["has_password"]) == (False, True)
    problem(client.patch("/v1/admin/users/ada", json={"role": "member"}, headers=word), 422)
    problem(client.patch("/v1/admin/users/nobody", json={}, headers=word), 404)
    actions = [deed["action"] for deed in client.get("/v1/admin/audit").json()["deeds"]]
    assert actions[:2] == ["reset user", "change user"]


def test_an_invitation_leads_to_an_account(client, log_in):
    word = log_in(client, "ada")
    made = client.post("/v1/admin/invitations", json={}, headers=word).json()
    order = {"name": "cleo", "password": PASSWORD, "invitation": made["code"]}
    assert client.post("/v1/sign-up", json=order).json()["name"] == "cleo"
    client.cookies.clear()
    problem(client.post("/v1/sign-up", json={**order, "name": "dora"}), 403)
    word = log_in(client, "ada")
    (listed,) = client.get("/v1/admin/invitations").json()["invitations"]
    assert listed["used_at"]
    assert "code" not in listed
    problem(client.delete(f"/v1/admin/invitations/{listed['id']}", headers=word), 404)


def test_usage_is_told_by_month(client, bearer):
    client.get("/v1/forecasts/BTC-USDT", headers=bearer("ben"))
    answer = client.get("/v1/admin/usage", headers=bearer("ada", "admin")).json()
    assert answer["usage"] == [{"name": "ben", "calls": 1}]
    assert client.get("/v1/admin/usage?month=2001-01", headers=bearer("ada", "admin")).json()["usage"] == []


# pages


def csrf_of(page):
    return re.search(r'name="csrf_token" value="(\w+)"', page.text)[1]


def test_a_person_logs_in_and_out_with_forms(client):
    answer = client.post("/login", data={"name": "ben", "password": BEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = client.get("/logout")
    assert "logged in as ben" in page.text
    problem(client.post("/logout", data={"csrf_token": "x"}), 403)
    answer = client.post("/logout", data={"csrf_token": csrf_of(page)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    problem(client.get("/v1/me"), 401)


def test_a_wrong_password_is_said_on_the_page(client):
    answer = client.post("/login", data={"name": "<b>", "password": "wrong"})
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "<b>" not in answer.text


def test_a_one_time_link_asks_for_a_password_and_then_opens_nothing(client, log_in):
    path = client.post("/v1/admin/users", json={"name": "cleo"}, headers=log_in(client, "ada")).json()[
        "login_path"
    ]
    page = client.get(path)
    assert "Welcome, cleo" in page.text
    code = path.removeprefix("/login?code=")
    assert client.post("/login", data={"code": code, "password": "short"}).status_code == 400
    assert client.post("/login", data={"code": code, "password": PASSWORD}).status_code == 303
    assert client.get(path).status_code == 400


def test_an_invitation_is_a_page_too(client, log_in):
    path = client.post("/v1/admin/invitations", json={}, headers=log_in(client, "ada")).json()["sign_up_path"]
    assert "Make an account" in client.get(path).text
    form = {"invitation": path.split("=", 1)[1], "new": "1", "name": "cleo", "password": "short"}
    assert client.post("/login", data=form).status_code == 400
    assert client.post("/login", data={**form, "password": PASSWORD}).status_code == 303
    assert client.get("/v1/me").json()["name"] == "cleo"


def test_where_sign_up_is_open_the_login_page_leads_there(open_client):
    client = open_client(sign_up="open")
    assert "/login?new=1" in client.get("/login").text
    form = {"new": "1", "name": "cleo", "password": PASSWORD}
    assert client.post("/login", data=form).status_code == 303
    assert "new=1" not in open_client().get("/login").text
    assert open_client().post("/login", data={**form, "name": "dora"}).status_code == 400


def test_pages_hold_no_script_and_nothing_from_outside(client):
    page = client.get("/login")
    assert "<script" not in page.text
    assert "http" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_a_login_lasts_no_longer_than_its_cookie(open_client, log_in):
    moment = [utc_now()]
    client = open_client(now=lambda: moment[0])
    log_in(client)
    cookie = client.cookies["mur_session"]
    moment[0] += timedelta(days=31)
    client.cookies.clear()
    problem(client.get("/v1/me", headers={"Cookie": f"mur_session={cookie}"}), 401)
