"""Which address asks for what: everything that is not named here is for readers."""

from enum import Enum, auto

LOGIN_PATHS = frozenset({"/login", "/v1/login", "/v1/sign-up"})
ORIGINAL_PATHS = frozenset(
    {"/predict", "/update_models", "/update_date", "/check_models_number", "/models", "/prediction"}
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_PATHS = frozenset({"/login", "/logout"})
"""Pages whose forms carry the word against forgery in their body, where only the page itself can read it."""

_OPEN_PATHS = LOGIN_PATHS | {"/", "/healthz", "/readyz", "/docs", "/openapi.json"}
_OPEN_FOLDERS = ("/docs/",)
_MEMBER_PATHS = frozenset({"/logout", "/v1/logout", "/v1/me", "/v1/tokens", "/v1/watchlist"})
_MEMBER_FOLDERS = ("/v1/tokens/", "/v1/watchlist/")
_COUNTED_MEMBER_PATHS = frozenset({"/v1/watchlist"})  # one's own, but it holds forecasts
_ADMIN_FOLDER = "/v1/admin"


class Need(Enum):
    """What a request has to bring along."""

    NOTHING = auto()
    READER = auto()
    """A token or a login, unless reading is public."""
    MEMBER = auto()
    """A token or a login, always; few such calls are counted against the month, see `is_counted`."""
    ADMIN = auto()


def need_of(path: str) -> Need:
    """Return what a path asks for.

    >>> [need_of(path).name for path in ("/healthz", "/v1/forecasts", "/v1/me", "/v1/admin/users")]
    ['NOTHING', 'READER', 'MEMBER', 'ADMIN']
    """
    if path in _OPEN_PATHS or path.startswith(_OPEN_FOLDERS):
        return Need.NOTHING
    if path == _ADMIN_FOLDER or path.startswith(_ADMIN_FOLDER + "/"):
        return Need.ADMIN
    if path in _MEMBER_PATHS or path.startswith(_MEMBER_FOLDERS):
        return Need.MEMBER
    return Need.READER


def is_counted(need: Need, path: str) -> bool:
    """Say whether a call with a token counts against the month.

    >>> [is_counted(need_of(path), path) for path in ("/v1/forecasts", "/v1/watchlist", "/v1/me")]
    [True, True, False]
    """
    return need is Need.READER or path in _COUNTED_MEMBER_PATHS
