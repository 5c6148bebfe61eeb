"""Passwords, one-time links, back-off, and cookies."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from make_us_rich.accounts.logins import (
    TRIES_PER_ADDRESS,
    TRIES_PER_NAME_AND_ADDRESS,
    Attempt,
    log_in,
    redeem_link,
)
from make_us_rich.accounts.passwords import hash_password
from make_us_rich.accounts.sessions import LIFETIME, end_session, find_session, forgery_word, start_session
from make_us_rich.accounts.users import UserChange, add_user, change_user, list_users, reset_user
from make_us_rich.errors import MakeUsRichError, NotLoggedInError, TooManyCallsError, UsageError
from trial_people import ADA, BEN, DEED, NOW

KEY = b"k" * 32


def attempt(name="ben", password=BEN, address="192.0.2.1"):
    return Attempt(name, password, address)


def fail(database, times, **of):
    for _ in range(times):
        with pytest.raises(NotLoggedInError):
            log_in(database, attempt(password="wrong", **of), NOW)


def test_the_right_password_logs_in(people):
    assert log_in(people, attempt(), NOW).name == "ben"
    assert log_in(people, attempt("Ada", ADA), NOW).role == "admin"


@pytest.mark.parametrize(("name", "password"), [("ben", "wrong"), ("nobody", BEN), ("ben", ""), ("", "")])
def test_what_was_wrong_is_not_said(people, name, password):
    with pytest.raises(NotLoggedInError) as refusal:
        log_in(people, attempt(name, password), NOW)
    assert str(refusal.value).startswith("name and password do not belong together")


def test_a_disabled_user_is_refused_like_a_wrong_password(people):
    change_user(people, "ben", UserChange(is_disabled=True), DEED)
    with pytest.raises(NotLoggedInError, match="do not belong together"):
        log_in(people, attempt(), NOW)


@pytest.mark.parametrize("name", ["ben", "nobody"])
def test_failures_lock_names_that_exist_and_names_that_do_not_alike(people, name):
    fail(people, TRIES_PER_NAME_AND_ADDRESS, name=name)
    with pytest.raises(TooManyCallsError) as refusal:
        log_in(people, attempt(name), NOW)
    assert 1 <= refusal.value.retry_after_seconds <= 16


def test_a_lock_ends_and_the_next_failure_doubles_it(people):
    fail(people, TRIES_PER_NAME_AND_ADDRESS)
    later = NOW + timedelta(seconds=20)
    with pytest.raises(NotLoggedInError):
        log_in(people, attempt(password="wrong"), later)
    with pytest.raises(TooManyCallsError) as refusal:
        log_in(people, attempt(), later + timedelta(seconds=20))
    assert refusal.value.retry_after_seconds <= 11
    assert log_in(people, attempt(), later + timedelta(seconds=31)).name == "ben"


def test_the_owner_comes_in_from_elsewhere_while_somebody_guesses(people):
    fail(people, TRIES_PER_NAME_AND_ADDRESS)
    assert log_in(people, attempt(address="192.0.2.2"), NOW).name == "ben"


def test_success_forgives_what_went_before(people):
    fail(people, TRIES_PER_NAME_AND_ADDRESS - 1)
    log_in(people, attempt(), NOW)
    fail(people, TRIES_PER_NAME_AND_ADDRESS - 1)
    assert log_in(people, attempt(), NOW).name == "ben"


def test_guessing_many_names_from_one_address_is_stopped(people, monkeypatch):
    monkeypatch.setattr("make_us_rich.accounts.logins.is_password", lambda *_: False)
    for number in range(TRIES_PER_ADDRESS):
        fail(people, 1, name=f"name{number}")
    with pytest.raises(TooManyCallsError):
        log_in(people, attempt("another"), NOW)


def test_guesses_at_the_same_time_are_all_counted(people, monkeypatch):
    monkeypatch.setattr("make_us_rich.accounts.logins.is_password", lambda *_: False)

    def guess(_):
        try:
            log_in(people, attempt(), NOW)
        except MakeUsRichError as error:
            return type(error)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, range(20)))
    assert outcomes.count(NotLoggedInError) == TRIES_PER_NAME_AND_ADDRESS
    assert outcomes.count(TooManyCallsError) == 20 - TRIES_PER_NAME_AND_ADDRESS


def test_a_name_that_does_not_exist_takes_as_long(people):
    def seconds(name):
        started = time.perf_counter()
        with pytest.raises(NotLoggedInError):
            log_in(people, attempt(name, "wrong", f"{name}{started}"), NOW)
        return time.perf_counter() - started

    seconds("nobody")  # the hash of nobody's password is made once
    pairs = [(seconds("ben"), seconds("nobody")) for _ in range(9)]
    ratio = statistics.median(known / unknown for known, unknown in pairs)
    assert 0.6 < ratio < 1.7


# one-time links


def test_a_link_sets_a_password_once(database):
    code = add_user(database, "cleo", "member", DEED)
    assert redeem_link(database, code, "a very new password", NOW).name == "cleo"
    assert log_in(database, attempt("cleo", "a very new password"), NOW).name == "cleo"
    with pytest.raises(NotLoggedInError, match="unknown, used or too old"):
        redeem_link(database, code, "another new password", NOW)


def test_a_link_of_yesterday_is_worthless(database):
    code = add_user(database, "cleo", "member", DEED)
    with pytest.raises(NotLoggedInError):
        redeem_link(database, code, "a very new password", NOW + timedelta(days=1))


@pytest.mark.parametrize("password", ["short", "x" * 257, "cleo-cleo1"])
def test_a_password_that_is_too_easy_is_refused_and_the_link_stays_good(database, password):
    code = add_user(database, "cleo", "member", DEED)
    with pytest.raises(UsageError, match="password"):
        redeem_link(database, code, password, NOW)
    assert redeem_link(database, code, "a very new password", NOW).name == "cleo"


def test_a_reset_ends_password_logins_and_older_links(people):
    cookie = start_session(people, KEY, log_in(people, attempt(), NOW), NOW)
    older = reset_user(people, "ben", DEED)
    newer = reset_user(people, "ben", DEED)
    assert find_session(people, KEY, cookie, NOW) is None
    with pytest.raises(NotLoggedInError):
        log_in(people, attempt(), NOW)
    with pytest.raises(NotLoggedInError):
        redeem_link(people, older, "a very new password", NOW)
    assert redeem_link(people, newer, "a very new password", NOW).name == "ben"


def test_passwords_are_stored_as_argon2id_and_salted(people):
    hashes = [user.password_hash for user in list_users(people)] + [hash_password(BEN)]
    assert all(stored.startswith("$argon2id$") for stored in hashes)
    assert len(set(hashes)) == 3


# cookies


def test_a_cookie_is_recognised_until_it_expires_or_is_logged_out(people):
    cookie = start_session(people, KEY, log_in(people, attempt(), NOW), NOW)
    principal = find_session(people, KEY, cookie, NOW)
    assert (principal.name, principal.token_id, principal.is_admin) == ("ben", None, False)
    assert find_session(people, KEY, cookie, NOW + LIFETIME) is None
    end_session(people, principal.session_id)
    assert find_session(people, KEY, cookie, NOW) is None


@pytest.mark.parametrize(
    "forge", [lambda c: c[:-1], lambda c: c.split(".")[0], lambda c: "", lambda c: "é.é"]
)
def test_a_forged_cookie_is_nobody(people, forge):
    cookie = start_session(people, KEY, log_in(people, attempt(), NOW), NOW)
    assert find_session(people, KEY, forge(cookie), NOW) is None


def test_a_cookie_signed_with_another_key_is_nobody(people):
    cookie = start_session(people, b"another" * 8, log_in(people, attempt(), NOW), NOW)
    assert find_session(people, KEY, cookie, NOW) is None


def test_the_word_against_forgery_belongs_to_one_login():
    assert forgery_word(KEY, "a") != forgery_word(KEY, "b")
    assert forgery_word(KEY, "a") != forgery_word(b"another", "a")
