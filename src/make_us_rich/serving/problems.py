"""Errors become `application/problem+json` (RFC 9457) here and nowhere else."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from make_us_rich.errors import (
    ArtifactError,
    MakeUsRichError,
    NotAllowedError,
    NotLoggedInError,
    StoreError,
    TooManyCallsError,
    UnknownNameError,
    UsageError,
)
from make_us_rich.serving.headers import SECURITY_HEADERS
from make_us_rich.serving.schemas import Problem

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 60

_STATUSES = {
    UnknownNameError: HTTPStatus.NOT_FOUND,  # before its parent
    UsageError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotLoggedInError: HTTPStatus.UNAUTHORIZED,
    NotAllowedError: HTTPStatus.FORBIDDEN,
    TooManyCallsError: HTTPStatus.TOO_MANY_REQUESTS,
}

_log = structlog.get_logger(__name__)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of the errors a route may answer with."""
    schema = Problem.model_json_schema()
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def install_problems(app: FastAPI) -> None:
    """Answer every error of an app, foreseen or not, with a problem."""
    app.add_exception_handler(MakeUsRichError, _answer_expected)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unexpected)


def _status_of(error: MakeUsRichError) -> HTTPStatus:
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return status
    return HTTPStatus.SERVICE_UNAVAILABLE


async def _answer_expected(request: Request, error: Exception) -> Response:
    if not isinstance(error, MakeUsRichError):
        raise error
    return problem_of(error, request.url.path)


def problem_of(error: MakeUsRichError, path: str) -> Response:
    """Return the answer to an error the desk expected might happen."""
    detail = str(error)
    if isinstance(error, StoreError | ArtifactError):
        _log.error("stored file not readable", path=path, reason=detail)
        detail = (
            "a stored file could not be read; the log of the server names it"  # paths are nobody's business
        )
    return problem(path, _status_of(error), detail, headers=_headers_of(error))


def _headers_of(error: MakeUsRichError) -> dict[str, str]:
    if isinstance(error, TooManyCallsError):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, NotLoggedInError):
        return {"WWW-Authenticate": 'Bearer realm="Make Us Rich"'}
    return {}


async def _answer_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"location": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
        for one in error.errors()
    ]
    detail = "; ".join(f"{one['location']}: {one['message']}" for one in errors)
    return problem(request.url.path, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


async def _answer_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    detail = error.detail
    if status is HTTPStatus.NOT_FOUND and detail == status.phrase:
        detail = f"{request.url.path} is not an address of this API; see /docs"
    return problem(request.url.path, status, detail, headers=error.headers)


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    _log.error("unexpected error", path=request.url.path, exc_info=error)
    return problem(
        request.url.path,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "an unexpected error; the log of the server has it",
        headers=SECURITY_HEADERS,  # this answer does not pass the gate, which adds them to all others
    )


def problem(
    path: str,
    status: HTTPStatus,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem as RFC 9457 has it, about the request to a path."""
    told = Problem(title=status.phrase, status=status, detail=detail, instance=path, errors=errors)
    extra = {"Cache-Control": "no-store", **(headers or {})}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        extra["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Response(told.model_dump_json(exclude_none=True), status, extra, PROBLEM_MEDIA_TYPE)
