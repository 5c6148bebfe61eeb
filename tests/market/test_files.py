import errno
import os

import pytest

from make_us_rich.errors import StoreError
from make_us_rich.market.files import disk_errors_named, remove_unfinished, write_atomically


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "part"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    "interruption", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_an_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch, call, interruption):
    path = tmp_path / "part"
    write_atomically(path, b"old")

    def interrupt(*_: object, **__: object) -> None:
        raise interruption

    monkeypatch.setattr(os, call, interrupt)
    with pytest.raises(type(interruption)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / ".part.x7.tmp").touch()
    (tmp_path / "part").touch()
    (tmp_path / ".lock").touch()
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "part"]


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "free some space and run it again; what was stored before is untouched"),
        (errno.EROFS, "make it writable for this user, or set MUR_HOME to another folder"),
        (errno.EACCES, "make it writable for this user, or set MUR_HOME to another folder"),
        (errno.EIO, "check that MUR_HOME is a folder on a disk that works"),
    ],
)
def test_what_the_disk_refuses_becomes_one_line_with_a_way_out(tmp_path, number, way_out):
    with pytest.raises(StoreError) as caught, disk_errors_named(tmp_path):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"{tmp_path}: {os.strerror(number)}; {way_out}"
