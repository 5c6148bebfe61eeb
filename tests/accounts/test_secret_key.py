import threading

import pytest
from pydantic import SecretStr

from make_us_rich.accounts.secret_key import load_secret_key
from make_us_rich.errors import StoreError
from make_us_rich.settings import Settings


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    key = load_secret_key(Settings(), tmp_path / "live")
    path = tmp_path / "live" / "secret_key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(key) == 64
    assert load_secret_key(Settings(), tmp_path / "live") == key
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_together_agree_on_the_key(tmp_path):
    keys, start = [], threading.Barrier(8)

    def load():
        start.wait(timeout=30)
        keys.append(load_secret_key(Settings(), tmp_path))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(keys), len(set(keys))) == (8, 1)


def test_a_key_others_may_read_is_refused(tmp_path):
    load_secret_key(Settings(), tmp_path)
    (tmp_path / "secret_key").chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        load_secret_key(Settings(), tmp_path)


def test_the_environment_comes_before_the_file(tmp_path):
    settings = Settings(secret_key=SecretStr("x" * 32))
    assert load_secret_key(settings, tmp_path) == b"x" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        Settings(secret_key=SecretStr("short"))
