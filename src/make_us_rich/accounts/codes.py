"""Secrets that are random and long: only their SHA-256 is stored, and nothing can be learnt from that.

A slow hash is for passwords, which people choose; 256 random bits cannot be guessed however fast one tries.
"""

import hashlib
import secrets

CODE_BYTES = 32


def new_code() -> str:
    """Return a new secret of 256 random bits, fit for an address."""
    return secrets.token_urlsafe(CODE_BYTES)


def hash_code(code: str) -> str:
    """Return what is stored in place of a secret.

    >>> hash_code("x")[:8]
    '2d711642'
    """
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()
