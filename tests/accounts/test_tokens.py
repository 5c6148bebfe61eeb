from datetime import timedelta

import pytest

from make_us_rich.accounts.audit import list_deeds
from make_us_rich.accounts.tokens import (
    TokenRequest,
    create_token,
    find_token,
    list_tokens,
    note_use,
    revoke_token,
)
from make_us_rich.accounts.users import UserChange, change_user, list_users
from make_us_rich.errors import NotAllowedError, UnknownNameError, UsageError
from trial_people import DEED, NOW


def test_a_token_speaks_for_its_user_within_its_scopes(people):
    token, text = create_token(people, "ben", TokenRequest("notebook"), NOW)
    principal = find_token(people, text, NOW)
    assert (principal.name, principal.token_id, principal.scopes) == ("ben", token.id, {"read"})
    assert not principal.is_admin
    assert not principal.may_write


def test_an_administrators_token_administers_only_if_it_says_so(people):
    texts = [
        create_token(people, "ada", TokenRequest("x", scopes), NOW)[1] for scopes in (["read"], ["admin"])
    ]
    assert [find_token(people, text, NOW).is_admin for text in texts] == [False, True]


def test_the_secret_is_nowhere_in_the_database(people):
    _, text = create_token(people, "ben", TokenRequest("notebook"), NOW)
    secret = text.split("_", 2)[2]
    (stored,) = list_tokens(people, "ben")
    assert secret not in repr(vars(stored.token))
    assert len(secret) == 43


def test_a_changed_token_is_nobody(people):
    _, text = create_token(people, "ben", TokenRequest("notebook"), NOW)
    swapped = text[:-1] + ("A" if text[-1] != "A" else "B")
    for wrong in (swapped, text[:-1], text.upper(), "", "mur_", f"{text} ", "mur_000000000000_" + text[17:]):
        assert find_token(people, wrong, NOW) is None, wrong


def test_a_revoked_token_is_nobody_from_then_on(people):
    token, text = create_token(people, "ben", TokenRequest("notebook"), NOW)
    revoke_token(people, token.id, NOW)
    assert revoke_token(people, token.id, NOW + timedelta(hours=1)).revoked_at == NOW
    assert find_token(people, text, NOW) is None


def test_a_token_expires(people):
    _, text = create_token(people, "ben", TokenRequest("short", lifetime=timedelta(days=1)), NOW)
    assert find_token(people, text, NOW + timedelta(hours=23))
    assert find_token(people, text, NOW + timedelta(days=1)) is None


def test_the_tokens_of_a_disabled_user_are_nobody_until_they_are_back(people):
    _, text = create_token(people, "ben", TokenRequest("notebook"), NOW)
    change_user(people, "ben", UserChange(is_disabled=True), DEED)
    assert find_token(people, text, NOW) is None
    change_user(people, "ben", UserChange(is_disabled=False), DEED)
    assert find_token(people, text, NOW).name == "ben"


def test_a_demoted_administrators_token_administers_no_more(people):
    change_user(people, "ben", UserChange(role="admin"), DEED)
    _, text = create_token(people, "ben", TokenRequest("rule", ["admin"]), NOW)
    change_user(people, "ben", UserChange(role="member"), DEED)
    assert not find_token(people, text, NOW).is_admin


def test_a_member_gets_no_token_for_administering(people):
    with pytest.raises(NotAllowedError, match="only administrators"):
        create_token(people, "ben", TokenRequest("rule", ["read", "admin"]), NOW)


def test_somebody_elses_token_cannot_be_revoked_or_even_seen(people):
    token, _ = create_token(people, "ada", TokenRequest("mine"), NOW)
    ben = next(user.id for user in list_users(people) if user.name == "ben")
    with pytest.raises(UnknownNameError):
        revoke_token(people, token.id, NOW, owner_id=ben)
    assert list_tokens(people, "ben") == []
    assert [one.owner for one in list_tokens(people)] == ["ada"]


@pytest.mark.parametrize("request_", [TokenRequest(""), TokenRequest("x" * 65), TokenRequest("a\nb")])
def test_a_token_needs_a_name(people, request_):
    with pytest.raises(UsageError, match="name"):
        create_token(people, "ben", request_, NOW)


@pytest.mark.parametrize("scopes", [[], ["write"], ["read", "root"]])
def test_unknown_scopes_are_refused(people, scopes):
    with pytest.raises(UsageError, match="scopes"):
        create_token(people, "ben", TokenRequest("x", scopes), NOW)


def test_the_last_use_is_known_to_the_minute(people):
    token, _ = create_token(people, "ben", TokenRequest("notebook"), NOW)
    for seconds in (0, 30, 90):
        note_use(people, [token.id], NOW + timedelta(seconds=seconds))
    assert list_tokens(people)[0].token.last_used_at == NOW + timedelta(seconds=90)


def test_what_an_administrator_does_to_tokens_is_written_down(people):
    token, _ = create_token(people, "ben", TokenRequest("notebook"), NOW, DEED)
    revoke_token(people, token.id, NOW, deed=DEED)
    assert [deed.action for deed in list_deeds(people, 2)] == ["revoke token", "create token"]
