"""What a request has to bring along, said at each route: `@needs(READER)` stands above the function."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TypeVar

from starlette.routing import BaseRoute, Mount, Route, compile_path

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_ATTRIBUTE = "_make_us_rich_need"
_FROM_THE_FRAMEWORK = frozenset({"/openapi.json"})
"""Routes that FastAPI adds by itself; they are open."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])


class Need(Enum):
    """Who may ask."""

    NOTHING = auto()
    READER = auto()
    """A token or a login, unless reading is public."""
    MEMBER = auto()
    """A token or a login, always."""
    ADMIN = auto()


@dataclass(frozen=True, slots=True)
class RouteNeed:
    """Who may ask a route, and what else holds for its calls.

    `is_counted`: with a token they count against the month. `is_login`: whoever is not known yet asks, so
    there are not many a minute from one address. `is_form`: the word against forgery stands in the body,
    where only the page itself can read it. `is_original`: of the first systems, whose clients send their
    token in the address.
    """

    need: Need
    is_counted: bool = False
    is_login: bool = False
    is_form: bool = False
    is_original: bool = False


OPEN = RouteNeed(Need.NOTHING)
LOGIN = RouteNeed(Need.NOTHING, is_login=True)
LOGIN_FORM = RouteNeed(Need.NOTHING, is_login=True, is_form=True)
READER = RouteNeed(Need.READER, is_counted=True)
ORIGINAL = RouteNeed(Need.READER, is_counted=True, is_original=True)
MEMBER = RouteNeed(Need.MEMBER)
MEMBER_FORM = RouteNeed(Need.MEMBER, is_form=True)
COUNTED_MEMBER = RouteNeed(Need.MEMBER, is_counted=True)
"""One's own, but it holds forecasts."""
ADMIN = RouteNeed(Need.ADMIN)

_UNKNOWN = {"/v1/admin/": ADMIN, "/v1/tokens/": MEMBER, "/v1/watchlist/": MEMBER}
"""What a path nobody knows needs, by how it begins; others are answered with 404, to readers only."""


def needs(need: RouteNeed) -> Callable[[Endpoint], Endpoint]:
    """State what a route needs; a route that states nothing is refused by `RouteNeeds`."""

    def state(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ATTRIBUTE, need)
        return endpoint

    return state


class RouteNeeds:
    """The needs of all routes of an application, by the path that is asked for."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._exact: dict[str, RouteNeed] = {}
        self._patterns: list[tuple[re.Pattern[str], RouteNeed]] = []
        self._folders: list[str] = []
        for route in routes:
            self._add(route)
        self.of = lru_cache(maxsize=4096)(self._find)

    def _add(self, route: BaseRoute) -> None:
        if isinstance(route, Mount):
            self._folders.append(
                f"{route.path}/"
            )  # files of an installed package, open like the page on them
            return
        if not isinstance(route, Route):
            raise TypeError(f"{route}: this sort of route states no need")
        need = stated_need(route)
        if need is None:
            raise TypeError(f"{route.path}: the route states no need; put @needs(…) above its function")
        if self._exact.setdefault(route.path, need) != need:
            raise TypeError(f"{route.path}: two routes on one path need the same; state one need for both")
        pattern, _, parameters = compile_path(route.path)
        if parameters:
            self._patterns.append((pattern, need))

    def _find(self, path: str) -> RouteNeed:
        if path in self._exact:
            return self._exact[path]
        if path.startswith(tuple(self._folders)):
            return OPEN
        return next((need for pattern, need in self._patterns if pattern.match(path)), _unknown(path))


def _unknown(path: str) -> RouteNeed:
    return next((need for folder, need in _UNKNOWN.items() if f"{path}/".startswith(folder)), READER)


def stated_need(route: Route) -> RouteNeed | None:
    """Return what a route states; None where it states nothing."""
    if route.path in _FROM_THE_FRAMEWORK:
        return OPEN
    found = getattr(route.endpoint, _ATTRIBUTE, None)
    return found if isinstance(found, RouteNeed) else None
