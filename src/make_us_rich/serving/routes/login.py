"""`/login` and `/logout`: pages for people; programs use `/v1/login` or a token."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel

from make_us_rich.accounts.invitations import sign_up
from make_us_rich.accounts.logins import Attempt, find_link, log_in, redeem_link
from make_us_rich.accounts.sessions import end_session, forgery_word
from make_us_rich.database.tables import User
from make_us_rich.errors import MakeUsRichError, StoreError, TooManyCallsError
from make_us_rich.serving.access import Access
from make_us_rich.serving.browser_session import clear_cookie, set_cookie
from make_us_rich.serving.forgery import require_word
from make_us_rich.serving.gate import Guard, address_of, principal_of
from make_us_rich.serving.needs import LOGIN_FORM, MEMBER_FORM, needs
from make_us_rich.serving.pages import first_login_page, login_page, logout_page, notice_page, sign_up_page

Field = Annotated[str, Form(max_length=256)]

_NO_STORE = {"Cache-Control": "no-store"}


def add_login_routes(app: FastAPI, guard: Guard) -> None:
    """Add the pages; they ask the database, so they run in worker threads."""
    _add_login_pages(app, guard.access)
    _add_logout_pages(app, guard)


class LoginForm(BaseModel):
    """What the pages send; each of them fills in some of it."""

    name: Field = ""
    password: Field = ""
    code: Field = ""
    invitation: Field = ""
    new: Field = ""


def _add_login_pages(app: FastAPI, access: Access) -> None:
    is_open = access.sign_up == "open"

    @app.get("/login", include_in_schema=False)
    @needs(LOGIN_FORM)
    def read_login(request: Request, code: str = "", invitation: str = "", new: str = "") -> HTMLResponse:
        action = _address(request, "/login")
        if code:
            return _first_login(access, action, code)
        if invitation or (is_open and new):
            return _page(sign_up_page(action, invitation))
        return _page(login_page(action, is_open=is_open))

    @app.post("/login", include_in_schema=False)
    @needs(LOGIN_FORM)
    def post_login(request: Request, form: Annotated[LoginForm, Form()]) -> Response:
        try:
            user = _user_of(access, form, address_of(request.scope))
        except StoreError:
            raise
        except MakeUsRichError as error:
            return _refusal(access, _address(request, "/login"), form, error)
        answer = RedirectResponse(_address(request, "/"), status_code=303, headers=_NO_STORE)
        set_cookie(request, answer, access, user)
        return answer


def _add_logout_pages(app: FastAPI, guard: Guard) -> None:
    access = guard.access

    @app.get("/logout", include_in_schema=False)
    @needs(MEMBER_FORM)
    def read_logout(request: Request) -> HTMLResponse:
        principal = principal_of(request)
        if principal.session_id is None:
            return _page(notice_page("Log out", "A token cannot be logged out; revoke it instead."))
        word = forgery_word(access.secret_key, principal.session_id)
        return _page(logout_page(_address(request, "/logout"), principal.name, word))

    @app.post("/logout", include_in_schema=False)
    @needs(MEMBER_FORM)
    def post_logout(request: Request, csrf_token: Field = "") -> Response:
        principal = principal_of(request)
        require_word(csrf_token, principal, access.secret_key)
        if principal.session_id is not None:
            end_session(access.database, principal.session_id)
            guard.forget()
        answer = RedirectResponse(_address(request, "/login"), status_code=303, headers=_NO_STORE)
        clear_cookie(request, answer)
        return answer


def _user_of(access: Access, form: LoginForm, address: str) -> User:
    now = access.now()
    if form.code:
        return redeem_link(access.database, form.code, form.password, now)
    if form.new:
        return sign_up(access.database, access.sign_up, (form.name, form.password), form.invitation, now)
    return log_in(access.database, Attempt(form.name, form.password, address), now)


def _refusal(access: Access, action: str, form: LoginForm, error: MakeUsRichError) -> HTMLResponse:
    problem = str(error)
    if form.code:
        return _first_login(access, action, form.code, problem)
    if form.new:
        return _page(sign_up_page(action, form.invitation, problem), 400)
    answer = _page(login_page(action, is_open=access.sign_up == "open", problem=problem), 401)
    if isinstance(error, TooManyCallsError):
        answer.status_code = 429
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _first_login(access: Access, action: str, code: str, problem: str | None = None) -> HTMLResponse:
    try:
        name = find_link(access.database, code, access.now()).name
    except StoreError:
        raise
    except MakeUsRichError as error:
        return _page(notice_page("This link does not open", str(error)), 400)
    return _page(first_login_page(action, code, name, problem), 400 if problem else 200)


def _page(content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(content, status, headers=_NO_STORE)


def _address(request: Request, path: str) -> str:
    return f"{request.scope.get('root_path', '')}{path}"
