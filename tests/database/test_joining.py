"""The databases of the markets of an older home, joined into one."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from make_us_rich.accounts.audit import list_deeds
from make_us_rich.accounts.tokens import find_token, list_tokens
from make_us_rich.database import joining
from make_us_rich.database.engine import open_database, sqlite_url
from make_us_rich.database.joining import join_homes, list_joined
from make_us_rich.database.journal_tables import candle_notes
from make_us_rich.database.old_homes import find_old_homes, last_started
from make_us_rich.database.schema import create_if_absent, current_revision, downgrade, upgrade
from make_us_rich.database.tables import (
    AuditRecord,
    Invitation,
    LoginSession,
    OneTimeLink,
    Token,
    Usage,
    User,
    WatchlistEntry,
)
from make_us_rich.errors import StoreError
from make_us_rich.journal.histories import list_histories, open_history
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.journal.track_record import RecordQuery, read_track_record
from make_us_rich.settings import Settings
from trial_journal import closes_of, contents, play, trial

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NOW = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home")


def write_old(home, market, *, started=LONG_AGO, people=(), hours=0, revision="0003"):
    """Write the database a market of an older home had, last used at some moment."""
    path = home.market_home(market) / "desk.db"
    database = open_database(sqlite_url(path))
    create_if_absent(database)
    with database.write() as session:
        for one in people:
            session.add(one)
            session.flush()  # in this order, so that users have the numbers others refer to
    if hours:
        play(trial(database, market), closes_of(hours))
    downgrade(database, revision)
    database.close()
    os.utime(path, (started.timestamp(), started.timestamp()))
    return path


def person(name, *, role="member", password=None, at=LONG_AGO, **more):
    return User(name=name, role=role, password_hash=password, created_at=at, **more)


def owned(user, token_id, *, calls=0, pairs=()):
    """What a user of the number `user` has."""
    return [
        Token(id=token_id, user_id=user, name="x", secret_hash="h" * 64, scopes="read", created_at=LONG_AGO),
        LoginSession(id=f"{token_id}{user}", user_id=user, created_at=LONG_AGO, expires_at=NOW),
        OneTimeLink(code_hash=token_id, user_id=user, created_at=LONG_AGO, expires_at=NOW),
        Invitation(code_hash=token_id, role="member", created_by=user, created_at=LONG_AGO, expires_at=NOW),
        Usage(user_id=user, month="2024-01", calls=calls),
        *(
            WatchlistEntry(user_id=user, symbol=symbol, amount=amount, created_at=LONG_AGO)
            for symbol, amount in pairs
        ),
    ]


def deed(at, subject):
    return AuditRecord(at=at, actor="ada", action="add user", subject=subject, detail="")


def join(home, before_it_counts=lambda markets: None):
    database = open_database(sqlite_url(home.home / "desk.db"))
    joined = join_homes(database, find_old_homes(home), NOW, before_it_counts)
    return database, joined


def users_of(database):
    with database.read() as session:
        return {user.name: user for user in session.scalars(select(User))}


def owners(database, mapped, column="user_id"):
    with database.read() as session:
        query = select(User.name).join_from(mapped, User, getattr(mapped, column) == User.id)
        return sorted(session.scalars(query))


@pytest.fixture
def two(home):
    """Live, last in use, with ada and ben; a replay with ben and ada under other numbers, and cleo."""
    write_old(
        home,
        "live",
        started=LONG_AGO + 9 * DAY,
        people=[
            person("ada", role="admin", password="new"),
            person("ben", password="bens"),
            deed(LONG_AGO + DAY, "ben"),
            *owned(1, "aaaa", calls=3, pairs=[("BTC/USDT", 1.0)]),
        ],
        hours=4,
    )
    write_old(
        home,
        "replay",
        started=LONG_AGO + 2 * DAY,
        people=[
            person("cleo", password="cleos"),
            person("ben", role="admin", password="old"),
            person("ada", password="old", last_login_at=LONG_AGO + DAY),
            deed(LONG_AGO, "cleo"),
            *owned(3, "bbbb", calls=4, pairs=[("BTC/USDT", 9.0), ("ETH/USDT", 2.0)]),
        ],
        hours=6,
    )
    return home


def test_users_of_equal_name_become_one_and_the_market_last_started_has_the_say(two):
    database, joined = join(two)
    users = users_of(database)
    assert joined == ["live", "replay"]
    assert {name: user.password_hash for name, user in users.items()} == {
        "ada": "new",
        "ben": "bens",
        "cleo": "cleos",
    }
    assert {name: user.role for name, user in users.items()} == {
        "ada": "admin",
        "ben": "member",
        "cleo": "member",
    }
    assert users["ada"].last_login_at == LONG_AGO + DAY
    database.close()


def test_what_people_had_stays_theirs(two):
    database, _ = join(two)
    for mapped in (Token, LoginSession, OneTimeLink):
        assert owners(database, mapped) == ["ada", "ada"]
    assert owners(database, Invitation, "created_by") == ["ada", "ada"]
    with database.read() as session:
        assert [(one.month, one.calls) for one in session.scalars(select(Usage))] == [("2024-01", 7)]
        entries = select(WatchlistEntry.symbol, WatchlistEntry.amount).order_by(WatchlistEntry.symbol)
        assert session.execute(entries).all() == [("BTC/USDT", 1.0), ("ETH/USDT", 2.0)]
    assert [one.subject for one in list_deeds(database)] == ["ben", "cleo"]
    assert {one.token.id for one in list_tokens(database, "ada")} == {"aaaa", "bbbb"}
    database.close()


def test_deeds_are_sorted_by_time_and_each_market_keeps_its_own_order(home):
    days = {"live": {"one": 2, "set back": 1, "three": 5}, "replay": {"a": 0, "b": 3}}
    for market, done in days.items():
        write_old(home, market, people=[deed(LONG_AGO + day * DAY, subject) for subject, day in done.items()])
    database, _ = join(home)
    assert [one.subject for one in reversed(list_deeds(database))] == ["a", "one", "set back", "b", "three"]
    database.close()


def test_journals_keep_every_row_and_their_record(two, tmp_path):
    database, _ = join(two)
    for market, hours in (("live", 4), ("replay", 6)):
        alone = open_database(sqlite_url(tmp_path / f"{market}.db"))
        create_if_absent(alone)
        play(trial(alone, market), closes_of(hours))
        journal, wanted = trial(database, market), trial(alone, market)
        found = read_predictions(journal, PredictionQuery(), 1000).rows
        assert found == read_predictions(wanted, PredictionQuery(), 1000).rows
        assert len(found) == hours * 18
        assert str(read_track_record(journal, RecordQuery())) == str(read_track_record(wanted, RecordQuery()))
        (history,) = list_histories(database, market)
        assert (history.number, history.began_at) == (1, min(closes_of(1)))
        play(wanted, closes_of(9))
        play(journal, closes_of(9))  # and goes on where it stood
        assert (
            read_predictions(journal, PredictionQuery(), 1000).rows
            == read_predictions(wanted, PredictionQuery(), 1000).rows
        )
        alone.close()
    assert {row[0] for row in contents(trial(database))[0]} == {"live", "replay"}
    database.close()


def test_what_was_joined_is_listed_and_the_files_are_put_away(two):
    database, _ = join(two)
    live, replay = list_joined(database)
    assert (live.market, live.users, live.known_users, live.tokens) == ("live", 2, "", 1)
    assert (replay.file, replay.users, replay.known_users) == ("replay/desk.db", 3, "ben ada")
    assert (live.forecasts, replay.forecasts, replay.joined_at) == (72, 108, NOW)
    assert find_old_homes(two) == []
    for market in ("live", "replay"):
        with closing(sqlite3.connect(two.market_home(market) / "desk.db.joined")) as kept:
            assert kept.execute("SELECT count(*) FROM forecasts").fetchone()[0] > 0
    database.close()


def _fail(_):
    raise ZeroDivisionError


def test_a_run_that_fails_leaves_the_old_files_and_no_table(two):
    with pytest.raises(ZeroDivisionError):
        join(two, _fail)
    assert [one.market for one in find_old_homes(two)] == ["live", "replay"]
    database = open_database(sqlite_url(two.home / "desk.db"))
    assert current_revision(database) is None
    database.close()
    database, joined = join(two)
    assert joined == ["live", "replay"]
    assert len(users_of(database)) == 3
    database.close()


def test_a_run_that_was_killed_before_the_files_were_put_away_is_finished(two, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(joining, "_put_away", lambda *_: None)
        database, _ = join(two)
        database.close()
    assert len(find_old_homes(two)) == 2
    database, joined = join(two)
    assert (joined, find_old_homes(two)) == ([], [])
    assert len(users_of(database)) == 3
    database.close()


def test_another_file_that_appears_where_one_was_joined_is_left_alone(two):
    database, _ = join(two)
    write_old(two, "live", people=[person("eve", role="admin", password="eves")])
    assert join_homes(database, find_old_homes(two), NOW, lambda _: None) == []
    assert "eve" not in users_of(database)
    assert [one.market for one in find_old_homes(two)] == ["live"]
    database.close()


def opened(home, market):
    """A home whose desk has run on a market and written nothing down yet."""
    database = open_database(sqlite_url(home.home / "desk.db"))
    create_if_absent(database)
    open_history(database, market, NOW, NOW)
    return database


@pytest.mark.parametrize("market", ["live", "replay"])
def test_a_journal_becomes_the_history_that_was_opened_and_is_empty(home, market):
    opened(home, market).close()
    write_old(home, market, hours=2)
    database, joined = join(home)
    (history,) = list_histories(database, market)
    assert (joined, history.number, history.began_at) == ([market], 1, NOW)
    assert len(read_predictions(trial(database, market), PredictionQuery(), 100).rows) == 36
    database.close()


def note(market):
    return {
        "market": market,
        "history": 1,
        "series": "BTC-USDT 1h",
        "open_time": NOW,
        "kind": "late",
        "detail": "an hour",
        "noted_at": NOW,
    }


@pytest.mark.parametrize(("market", "numbers"), [("live", [1]), ("replay", [1, 2])])
def test_a_history_with_as_little_as_a_note_in_it_is_nobody_elses(home, market, numbers):
    database = opened(home, market)
    with database.write() as session:
        session.execute(candle_notes.insert(), note(market))
    database.close()
    write_old(home, market, hours=2)
    database, joined = join(home)
    assert [one.number for one in list_histories(database, market)] == numbers
    assert joined == ([] if market == "live" else [market])
    database.close()


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_a_file_of_any_earlier_version_is_joined(home, revision):
    write_old(home, "replay", people=[person("ada", password="adas")], revision=revision)
    database, joined = join(home)
    assert (joined, list(users_of(database))) == (["replay"], ["ada"])
    database.close()


def test_a_file_of_an_unknown_version_stops_it_with_one_line(home):
    path = write_old(home, "live")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="schema 9999"):
        join(home)


def test_a_file_that_is_in_use_stops_it_with_one_line(home):
    other = open_database(sqlite_url(write_old(home, "live")))
    with other.read() as session:
        session.scalar(text("SELECT count(*) FROM users"))
        with pytest.raises(StoreError, match="stop what still uses it"):
            join(home)
    other.close()
    assert join(home)[1] == ["live"]


def test_of_tokens_with_one_number_that_of_the_market_last_started_stays(home):
    for market, started, secret in (("live", 1, "a"), ("replay", 2, "b")):
        token = Token(
            id="same", user_id=1, name=market, secret_hash=secret * 64, scopes="read", created_at=LONG_AGO
        )
        write_old(home, market, started=LONG_AGO + started * DAY, people=[person("ada"), token])
    database, _ = join(home)
    (kept,) = list_tokens(database)
    assert kept.token.name == "replay"
    assert find_token(database, "mur_same_x", NOW) is None
    database.close()


@pytest.mark.parametrize(
    ("last_login", "password"), [(None, "chosen"), (LONG_AGO, None)], ids=["never chosen", "taken away"]
)
def test_only_a_password_that_nobody_ever_chose_is_taken_from_elsewhere(home, last_login, password):
    write_old(home, "live", started=NOW, people=[person("ada", last_login_at=last_login)])
    write_old(home, "replay", people=[person("ada", password="chosen")])
    database, _ = join(home)
    assert users_of(database)["ada"].password_hash == password
    database.close()


def test_what_lets_in_a_user_who_was_disabled_does_not_come_back_to_life(home):
    write_old(home, "live", started=NOW, people=[person("ada", role="admin"), person("ben")])
    disabled = [person("ben", password="old", disabled_at=LONG_AGO + DAY), *owned(1, "bens")]
    write_old(home, "replay", people=[*disabled, person("cleo", disabled_at=LONG_AGO), *owned(2, "cleo")])
    database, _ = join(home)
    users = users_of(database)
    assert (users["ben"].disabled_at, users["ben"].password_hash) == (None, None)
    assert users["cleo"].disabled_at == LONG_AGO  # known nowhere else, so all stays as it was
    revoked = {one.token.id: one.token.revoked_at for one in list_tokens(database)}
    assert revoked == {"bens": LONG_AGO + DAY, "cleo": None}
    for mapped in (LoginSession, OneTimeLink):
        assert owners(database, mapped) == ["cleo"]
    database.close()


@pytest.mark.parametrize(
    ("in_use", "older", "wanted"),
    [
        (("member", None), ("admin", None), "admin"),
        (("member", LONG_AGO), ("admin", None), "member"),
        (("member", None), ("admin", LONG_AGO), "member"),
        (("admin", None), ("member", None), "admin"),
    ],
    ids=["nobody else could", "disabled here", "disabled there", "the market in use says so"],
)
def test_the_market_in_use_says_who_administers_unless_nobody_would(home, in_use, older, wanted):
    for market, (role, disabled), started in (("live", in_use, NOW), ("replay", older, LONG_AGO)):
        write_old(home, market, started=started, people=[person("ada", role=role, disabled_at=disabled)])
    database, _ = join(home)
    assert users_of(database)["ada"].role == wanted
    database.close()


def test_of_several_the_one_who_administered_the_longest_goes_on(home):
    write_old(home, "live", started=NOW, people=[person("ada"), person("ben")])
    write_old(home, "replay", people=[person("ada", role="admin", at=LONG_AGO + DAY)])
    write_old(home, "simulated", people=[person("ben", role="admin", at=LONG_AGO)])
    database, _ = join(home)
    assert {name: user.role for name, user in users_of(database).items()} == {"ada": "member", "ben": "admin"}
    database.close()


def test_a_market_was_in_use_when_its_newest_trace_or_its_file_says_so(home):
    write_old(home, "live", started=LONG_AGO, people=[deed(LONG_AGO + 5 * DAY, "x")])
    write_old(home, "replay", started=LONG_AGO + 3 * DAY)
    assert [last_started(one) for one in find_old_homes(home)] == [LONG_AGO + 5 * DAY, LONG_AGO + 3 * DAY]


def test_with_an_address_of_a_database_no_file_is_looked_for(two):
    assert find_old_homes(two.model_copy(update={"database_url": "postgresql://somewhere/desk"})) == []


NAMES = st.sets(st.sampled_from(["ada", "ben", "cleo"]))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.fixed_dictionaries(dict.fromkeys(("live", "replay", "simulated"), NAMES)))
def test_whoever_was_anywhere_is_here_once_with_all_tokens(people, tmp_path_factory):
    home = Settings(home=tmp_path_factory.mktemp("home"))
    for day, (market, names) in enumerate(people.items()):
        rows = [person(name, password=f"{market} {name}") for name in sorted(names)]
        for number, name in enumerate(sorted(names), start=1):
            rows += owned(number, f"{market[:4]}{name}", calls=number)
        write_old(home, market, started=LONG_AGO + day * DAY, people=rows)
    database, _ = join(home)
    users = users_of(database)
    everybody = set().union(*people.values())
    assert set(users) == everybody
    for name in everybody:
        last = [market for market, names in people.items() if name in names][-1]
        assert users[name].password_hash == f"{last} {name}"
        wanted = {f"{market[:4]}{name}" for market, names in people.items() if name in names}
        assert {one.token.id for one in list_tokens(database, name)} == wanted
    database.close()


def test_upgrading_an_old_file_by_itself_is_possible_too(home):
    path = write_old(home, "replay", hours=2)
    database = open_database(sqlite_url(path))
    upgrade(database)
    assert len(read_predictions(trial(database), PredictionQuery(), 100).rows) == 36
    database.close()
