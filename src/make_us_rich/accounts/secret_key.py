"""The key that signs cookies: from the environment, or from a file only its owner may read."""

import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import get_args

from make_us_rich.errors import StoreError
from make_us_rich.settings import Market, Settings

FILE_NAME = "secret_key"
_KEY_BYTES = 32


def load_secret_key(settings: Settings) -> bytes:
    """Return `MUR_SECRET_KEY`, or the key in the home, which is made on first use."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.home.expanduser() / FILE_NAME
    if not path.exists():
        _make_key(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise StoreError(f"{path} may be read by others; run `chmod 600 {path}`, or remove it for a new key")
    return path.read_bytes().strip()


def adopt_secret_key(settings: Settings, markets: Sequence[Market] = ()) -> None:
    """Move up the key a market used to have, if the home has none, so that cookies stay valid.

    The first of some markets that has one is taken; after those named, the one whose key is newest.
    """
    path = settings.home.expanduser() / FILE_NAME
    if settings.secret_key is not None or path.exists():
        return
    named = [settings.market_home(market) / FILE_NAME for market in markets]
    others = [settings.market_home(market) / FILE_NAME for market in get_args(Market)]
    dated = sorted((one for one in others if one.is_file()), key=_age, reverse=True)
    for key in [*named, *dated]:
        if key.is_file():
            _move_key(key, path)
            return


def _age(path: Path) -> float:
    return path.stat().st_mtime


def _move_key(old: Path, new: Path) -> None:
    with suppress(FileExistsError, FileNotFoundError):  # another process was faster
        os.link(old, new)
        old.unlink()


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(_KEY_BYTES))
    try:
        os.link(draft, path)  # unlike a rename it never replaces the key another process made meanwhile
    except FileExistsError:
        pass
    finally:
        draft.unlink()
