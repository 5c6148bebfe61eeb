"""The cookie of a browser that is logged in."""

from fastapi import Request, Response

from make_us_rich.accounts.sessions import LIFETIME, start_session
from make_us_rich.database.tables import User
from make_us_rich.serving.access import Access
from make_us_rich.serving.credentials import COOKIE


def set_cookie(request: Request, response: Response, access: Access, user: User) -> str:
    """Log a browser in with an answer and return what the cookie holds."""
    cookie = start_session(access.database, access.secret_key, user, access.now())
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(LIFETIME.total_seconds()),
        path=cookie_path(request),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",  # "strict" would hide it when somebody follows a link from their mail
    )
    return cookie


def clear_cookie(request: Request, response: Response) -> None:
    """Make a browser forget its cookie."""
    response.delete_cookie(COOKIE, path=cookie_path(request), httponly=True, samesite="lax")


def cookie_path(request: Request) -> str:
    """Return the path the cookie belongs to: the one a proxy offers the API under."""
    return f"{request.scope.get('root_path', '')}/"
