"""Every route against what its description promises, as nobody, as a member and as an administrator."""

from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from make_us_rich.accounts.sessions import find_session, forgery_word, start_session
from make_us_rich.accounts.tokens import list_tokens
from make_us_rich.accounts.users import list_users
from make_us_rich.serving.access import utc_now
from serving.test_server import running

pytestmark = pytest.mark.slow

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 10
LEFT_OUT = {("PUT", "/update_models"), ("PUT", "/update_date")}  # they work on the disk for each example


def operations(address):
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    found = [result.ok() for result in schema.get_all_operations()]
    return [one for one in found if (one.method.upper(), one.path) not in LEFT_OUT]


def fuzz(operation, headers):
    """Send what the description allows and what it forbids, and return the statuses of the answers."""
    return set().union(*(send_some(operation, headers, mode) for mode in GenerationMode))


def send_some(operation, headers, mode):
    statuses = set()

    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def send(case):
        case.headers = {
            name: value
            for name, value in dict(case.headers or {}).items()
            if name.lower() not in {"authorization", "cookie"}
        } | headers
        case.cookies = {}
        answer = case.call()
        case.validate_response(answer, checks=list(CHECKS))
        statuses.add(answer.status_code)

    with suppress(Unsatisfiable):  # where nothing is asked for nothing can be wrong
        send()
    return statuses


@pytest.fixture
def address(open_app):
    with running(open_app(rate_limit_per_minute=1_000_000, monthly_quota=1_000_000)) as address:
        yield address


def test_nobody_is_answered_as_described_and_gets_nothing(address):
    for operation in operations(address):
        statuses = fuzz(operation, {})
        if operation.path.startswith(("/v1/admin", "/v1/me", "/v1/tokens", "/v1/watchlist")):
            assert statuses <= {401, 405}, operation.label


@pytest.mark.parametrize("way", ["token", "login"])
def test_a_member_is_answered_as_described_and_administers_nothing(address, bearer, people, way):
    headers = bearer("ben") if way == "token" else login_headers(people)
    bearer("ada", "admin")
    for operation in known_to_leave_us_logged_in(operations(address)):
        statuses = fuzz(operation, headers)
        if operation.path.startswith("/v1/admin"):
            assert statuses <= {403, 405}, operation.label
    assert [(user.name, user.role) for user in list_users(people)] == [("ada", "admin"), ("ben", "member")]
    assert [one.token.revoked_at for one in list_tokens(people, "ada")] == [None]


def test_an_administrator_is_answered_as_described(address, bearer):
    headers = bearer("ada", "admin")
    for operation in known_to_leave_us_logged_in(operations(address)):
        assert 401 not in fuzz(operation, headers), operation.label


def known_to_leave_us_logged_in(found):
    return [one for one in found if one.path not in {"/v1/logout", "/v1/login", "/v1/sign-up"}]


def login_headers(people):
    ben = next(user for user in list_users(people) if user.name == "ben")
    cookie = start_session(people, b"k" * 32, ben, utc_now())
    session_id = find_session(people, b"k" * 32, cookie, utc_now()).session_id
    return {"Cookie": f"mur_session={cookie}", "X-CSRF-Token": forgery_word(b"k" * 32, session_id)}
