"""Conditional answers: who already has it, gets 304 and no body."""

from fastapi import Request, Response

JSON = "application/json"


def cached_response(
    request: Request, body: bytes, etag: str, max_age: int, media_type: str = JSON
) -> Response:
    """Return the body, or 304 to a client that holds it; either may be kept for `max_age` seconds."""
    headers = {"ETag": etag, "Cache-Control": f"max-age={max_age}" if max_age > 0 else "no-cache"}
    wanted = request.headers.get("if-none-match")
    if wanted is not None and _matches(wanted, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _matches(wanted: str, etag: str) -> bool:
    # If-None-Match compares weakly (RFC 9110, 13.1.2): W/ makes no difference.
    opaque = etag.removeprefix("W/")
    return wanted.strip() == "*" or any(one.strip().removeprefix("W/") == opaque for one in wanted.split(","))
