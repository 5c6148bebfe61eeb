"""Files that are either whole or not there, and what to tell a person when the disk refuses."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from make_us_rich.errors import StoreError

_TEMPORARY_SUFFIX = ".tmp"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step: a reader, or a power cut, finds the old content or the new one.

    A writer that is killed leaves at most a temporary file beside it, see `remove_unfinished`.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_TEMPORARY_SUFFIX)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed writers left in a folder; only for the holder of the folder's lock."""
    for path in folder.glob(f".*{_TEMPORARY_SUFFIX}"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_errors_named(path: Path) -> Iterator[None]:
    """Turn an `OSError` of the block into a `StoreError` of one line: path, finding, way out."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{path}: {reason}; {_way_out(error.errno)}") from error


def _way_out(number: int | None) -> str:
    if number in _FULL:
        return "free some space and run it again; what was stored before is untouched"
    if number in _READ_ONLY:
        return "make it writable for this user, or set MUR_HOME to another folder"
    return "check that MUR_HOME is a folder on a disk that works"


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk: without it a rename may not survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
