"""Passwords: what is accepted, how it is stored, and a check that takes as long for nobody."""

import threading
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from make_us_rich.errors import UsageError

MIN_LENGTH = 10
MAX_LENGTH = 256

# 19 MiB and two passes are what OWASP asks for; two at a time keep a flood of logins from eating the memory.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
_AT_ONCE = threading.Semaphore(2)


def check_new_password(password: str, name: str) -> None:
    """Raise `UsageError` for a password that is too easy to guess, or too long to hash."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise UsageError(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters, this one {len(password)}")
    if name.lower() in password.lower() and len(password) < len(name) + MIN_LENGTH:
        raise UsageError("the password is little more than the name; choose another")


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, salted."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def is_password(password: str, stored_hash: str | None) -> bool:
    """Say whether a password is the stored one; None, for nobody, takes as long and is never right."""
    with _AT_ONCE:
        is_right = _HASHER.verify(password[:MAX_LENGTH], stored_hash or _nobodys_hash())
    return is_right and stored_hash is not None


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _HASHER.hash("nobody")
