"""What the gate does to every route, told in the OpenAPI description in one place."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from make_us_rich.serving.credentials import COOKIE
from make_us_rich.serving.needs import SAFE_METHODS, Need, RouteNeed, RouteNeeds
from make_us_rich.serving.problems import problem_responses

_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token, mur_<id>_<secret>; make one at POST /v1/tokens or with `mur tokens create`.",
    },
    "login": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A browser that is logged in; it sends X-CSRF-Token with changes, see GET /v1/me.",
    },
}


def install_openapi(app: FastAPI, *, is_public: bool) -> None:
    """Let an app describe who may call what, and what is answered to everybody else."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schema.setdefault("components", {})["securitySchemes"] = _SCHEMES
            needs = RouteNeeds(app.routes)
            for path, operations in schema["paths"].items():
                for method, operation in operations.items():
                    _complete(operation, needs.of(path), method.upper(), is_public=is_public)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], route: RouteNeed, method: str, *, is_public: bool) -> None:
    need = route.need
    if need is not Need.NOTHING:
        operation["security"] = [{"token": []}, {"login": []}]
        if need is Need.READER and is_public:
            operation["security"].insert(0, {})
    if "422" in operation["responses"]:  # FastAPI describes its own answer there, which is never given
        operation["responses"]["422"] = problem_responses(422)[422]
    for status, response in problem_responses(*_statuses(route, method), *_body_statuses(operation)).items():
        operation["responses"].setdefault(str(status), response)


def _body_statuses(operation: dict[str, Any]) -> set[int]:
    return {400, 413} if "requestBody" in operation else set()  # what is no text at all, and what is too much


def _statuses(route: RouteNeed, method: str) -> set[int]:
    need = route.need
    changes = method not in SAFE_METHODS
    if need is Need.NOTHING:
        return {403, 429} if route.is_login and changes else set()
    statuses = {401, 429, 503}
    if need is Need.ADMIN or changes:
        statuses.add(403)
    return statuses
