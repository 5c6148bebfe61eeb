"""Files that are whole or absent, whatever happens in between."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from make_us_rich.errors import StoreError


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file and wait until it is on the disk; an existing one raises `FileExistsError`."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """Replace a file in one step: a reader sees the old content or the new one, never a mixture."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_durably(fresh, content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; without it a rename may not survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def one_clear_line(path: Path) -> Iterator[None]:
    """Turn what the disk refuses (full, read-only, not ours) into a `StoreError` that names the place."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{path}: {reason}; free space or correct the permissions, nothing was changed"
        ) from error
