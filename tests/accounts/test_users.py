"""Users, invitations, and what is written down about them."""

from datetime import timedelta

import pytest

from make_us_rich.accounts.audit import list_deeds
from make_us_rich.accounts.invitations import invite, list_invitations, sign_up, withdraw
from make_us_rich.accounts.logins import redeem_link
from make_us_rich.accounts.users import (
    UserChange,
    add_user,
    change_user,
    ensure_admin,
    list_users,
    parse_user_name,
)
from make_us_rich.errors import NotAllowedError, UnknownNameError, UsageError
from trial_people import DEED, NOW

CLEO = ("cleo", "a very new password")


def names(database):
    return [user.name for user in list_users(database)]


def test_the_first_start_makes_one_administrator_without_a_password(database):
    code = ensure_admin(database, DEED)
    (admin,) = list_users(database)
    assert (admin.name, admin.role, admin.password_hash) == ("admin", "admin", None)
    assert redeem_link(database, code, "a very new password", NOW).name == "admin"


def test_every_start_prints_a_link_until_an_administrator_came_in(database):
    first, second = ensure_admin(database, DEED), ensure_admin(database, DEED)
    assert first != second
    redeem_link(database, second, "a very new password", NOW)
    assert ensure_admin(database, DEED) is None
    assert names(database) == ["admin"]


def test_a_name_belongs_to_one_user_however_it_is_written(people):
    with pytest.raises(UsageError, match="ben exists already"):
        add_user(people, "Ben", "member", DEED)
    assert names(people) == ["ada", "ben"]


@pytest.mark.parametrize("name", ["", " ", "a b", "-x", "x" * 64, "é", "a/b", "<b>"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(UsageError, match="user name"):
        parse_user_name(name)


@pytest.mark.parametrize("change", [UserChange(role="member"), UserChange(is_disabled=True)])
def test_the_last_administrator_stays(people, change):
    with pytest.raises(UsageError, match="no administrator"):
        change_user(people, "ada", change, DEED)
    change_user(people, "ben", UserChange(role="admin"), DEED)
    assert change_user(people, "ada", change, DEED).name == "ada"


def test_an_unknown_user_cannot_be_changed(people):
    with pytest.raises(UnknownNameError, match="nobody does not exist"):
        change_user(people, "nobody", UserChange(), DEED)


def test_an_invitation_makes_one_account(people):
    invitation, code = invite(people, "admin", 1, DEED)
    assert sign_up(people, "invitation", CLEO, code, NOW).role == "admin"
    with pytest.raises(NotAllowedError, match="used"):
        sign_up(people, "invitation", ("dora", CLEO[1]), code, NOW)
    (stored,) = list_invitations(people)
    assert (stored.id, stored.used_at) == (invitation.id, NOW)
    assert code not in repr(vars(stored))


def test_a_refused_name_leaves_the_invitation_good(people):
    _, code = invite(people, "member", None, DEED)
    with pytest.raises(UsageError, match="exists already"):
        sign_up(people, "invitation", ("ben", CLEO[1]), code, NOW)
    assert sign_up(people, "invitation", CLEO, code, NOW).name == "cleo"


def test_an_old_or_withdrawn_invitation_is_refused(people):
    old, code = invite(people, "member", None, DEED)
    with pytest.raises(NotAllowedError, match="too old"):
        sign_up(people, "invitation", CLEO, code, NOW + timedelta(days=7))
    withdraw(people, old.id, DEED)
    with pytest.raises(NotAllowedError, match="unknown"):
        sign_up(people, "invitation", CLEO, code, NOW)
    with pytest.raises(UnknownNameError):
        withdraw(people, old.id, DEED)


@pytest.mark.parametrize("mode", ["invitation", "closed"])
def test_without_an_invitation_nobody_signs_up(people, mode):
    with pytest.raises(NotAllowedError, match="ask one for an invitation"):
        sign_up(people, mode, CLEO, None, NOW)


def test_where_sign_up_is_closed_invitations_are_worthless(people):
    _, code = invite(people, "member", None, DEED)
    with pytest.raises(NotAllowedError):
        sign_up(people, "closed", CLEO, code, NOW)


def test_where_sign_up_is_open_anybody_becomes_a_member(people):
    assert sign_up(people, "open", CLEO, None, NOW).role == "member"


def test_deeds_are_written_down_and_refused_ones_are_not(people):
    change_user(people, "ben", UserChange(is_disabled=True), DEED)
    with pytest.raises(UsageError):
        change_user(people, "ada", UserChange(is_disabled=True), DEED)
    deeds = [(deed.actor, deed.action, deed.subject, deed.detail) for deed in list_deeds(people)]
    assert deeds == [
        ("tests", "change user", "ben", "disabled True"),
        ("tests", "add user", "ben", "member"),
        ("tests", "add user", "ada", "admin"),
    ]
