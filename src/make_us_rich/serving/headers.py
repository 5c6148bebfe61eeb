"""Headers that keep browsers from doing with our answers what they are not meant for."""

from collections.abc import Mapping

_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
)

SECURITY_HEADERS: Mapping[str, str] = {**_COMMON, "Content-Security-Policy": _POLICY}
DOCS_HEADERS: Mapping[str, str] = {**_COMMON, "Content-Security-Policy": _DOCS_POLICY}
TLS_HEADERS: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}

RawHeaders = list[tuple[bytes, bytes]]


def raw(headers: Mapping[str, str]) -> RawHeaders:
    """Return headers as ASGI sends them.

    >>> raw({"Retry-After": "60"})
    [(b'retry-after', b'60')]
    """
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
