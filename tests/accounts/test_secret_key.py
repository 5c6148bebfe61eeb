import os
import threading

import pytest
from pydantic import SecretStr

from make_us_rich.accounts.secret_key import adopt_secret_key, load_secret_key
from make_us_rich.errors import StoreError
from make_us_rich.settings import Settings


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    key = load_secret_key(Settings(home=tmp_path / "home"))
    path = tmp_path / "home" / "secret_key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(key) == 64
    assert load_secret_key(Settings(home=tmp_path / "home")) == key
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_together_agree_on_the_key(tmp_path):
    keys, start = [], threading.Barrier(8)

    def load():
        start.wait(timeout=30)
        keys.append(load_secret_key(Settings(home=tmp_path)))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(keys), len(set(keys))) == (8, 1)


def test_a_key_others_may_read_is_refused(tmp_path):
    load_secret_key(Settings(home=tmp_path))
    (tmp_path / "secret_key").chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        load_secret_key(Settings(home=tmp_path))


def test_the_environment_comes_before_the_file(tmp_path):
    settings = Settings(home=tmp_path, secret_key=SecretStr("x" * 32))
    assert load_secret_key(settings) == b"x" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        Settings(secret_key=SecretStr("short"))


def put_key(home, market, text, at):
    path = home / market / "secret_key"
    path.parent.mkdir()
    path.touch(0o600)
    path.write_text(text)
    os.utime(path, (at, at))


def test_the_key_of_the_market_in_use_moves_up_and_then_stays(tmp_path):
    settings = Settings(home=tmp_path)
    for market, at in (("live", 1), ("replay", 3), ("simulated", 2)):
        put_key(tmp_path, market, market * 10, at)
    adopt_secret_key(settings, ["simulated", "live"])
    adopt_secret_key(settings, ["live"])
    assert load_secret_key(settings) == b"simulated" * 10
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "simulated" / "secret_key").exists()
    assert (tmp_path / "live" / "secret_key").exists()


def test_without_a_market_in_use_the_newest_key_moves_up(tmp_path):
    for market, at in (("live", 1), ("replay", 3)):
        put_key(tmp_path, market, market * 10, at)
    adopt_secret_key(Settings(home=tmp_path))
    assert load_secret_key(Settings(home=tmp_path)) == b"replay" * 10
