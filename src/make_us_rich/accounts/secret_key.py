"""The key that signs cookies: from the environment, or from a file only its owner may read."""

import os
import secrets
import stat
from pathlib import Path

from make_us_rich.errors import StoreError
from make_us_rich.settings import Settings

FILE_NAME = "secret_key"
_KEY_BYTES = 32


def load_secret_key(settings: Settings, market_home: Path) -> bytes:
    """Return `MUR_SECRET_KEY`, or the key in the home of the market, which is made on first use."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = market_home / FILE_NAME
    if not path.exists():
        _make_key(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise StoreError(f"{path} may be read by others; run `chmod 600 {path}`, or remove it for a new key")
    return path.read_bytes().strip()


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
