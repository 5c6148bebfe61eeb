"""One's own account: logging in and out, and the tokens one has made."""

from datetime import timedelta

from fastapi import FastAPI, Request, Response

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.invitations import sign_up
from make_us_rich.accounts.logins import Attempt, log_in, redeem_link
from make_us_rich.accounts.principal import Principal
from make_us_rich.accounts.quota import calls_made
from make_us_rich.accounts.sessions import end_session, find_session, forgery_word
from make_us_rich.accounts.tokens import TokenRequest, create_token, list_tokens, revoke_token
from make_us_rich.database.tables import Token, User
from make_us_rich.errors import NotLoggedInError, UsageError
from make_us_rich.serving.access import Access
from make_us_rich.serving.account_schemas import (
    LoginOrder,
    MeAnswer,
    NewTokenAnswer,
    SignUpOrder,
    TokenAnswer,
    TokenListAnswer,
    TokenOrder,
)
from make_us_rich.serving.browser_session import clear_cookie, set_cookie
from make_us_rich.serving.gate import Guard, address_of, principal_of
from make_us_rich.serving.needs import LOGIN, MEMBER, needs
from make_us_rich.serving.problems import problem_responses


def add_account_routes(app: FastAPI, guard: Guard) -> None:
    """Add the routes of one's own account; they ask the database, so they run in worker threads."""
    access = guard.access

    @app.post("/v1/login", tags=["account"], responses=problem_responses(401, 403, 422, 429, 503))
    @needs(LOGIN)
    def post_login(request: Request, response: Response, order: LoginOrder) -> MeAnswer:
        """Log a browser in: by name and password, or by the code of a one-time link and a new password."""
        user = _user_of(access, order, address_of(request.scope))
        return _welcome(request, response, access, user)

    @app.post("/v1/sign-up", tags=["account"], responses=problem_responses(403, 422, 429, 503))
    @needs(LOGIN)
    def post_sign_up(request: Request, response: Response, order: SignUpOrder) -> MeAnswer:
        """Make an account, by invitation or, where sign-up is open, without; and log in."""
        credentials = (order.name, order.password)
        user = sign_up(access.database, access.sign_up, credentials, order.invitation, access.now())
        return _welcome(request, response, access, user)

    @app.post("/v1/logout", tags=["account"], status_code=204, responses=problem_responses(403, 503))
    @needs(MEMBER)
    def post_logout(request: Request, response: Response) -> None:
        """End the login of this browser."""
        principal = principal_of(request)
        if principal.session_id is not None:
            end_session(access.database, principal.session_id)
            guard.forget()
        clear_cookie(request, response)

    @app.get("/v1/me", tags=["account"], responses=problem_responses(503))
    @needs(MEMBER)
    def read_me(request: Request, response: Response) -> MeAnswer:
        """Say who asks, what they may, and what is left of their month."""
        response.headers["Cache-Control"] = "no-store"
        return _me(access, principal_of(request))

    @app.get("/v1/tokens", tags=["account"], responses=problem_responses(503))
    @needs(MEMBER)
    def read_tokens(request: Request, response: Response) -> TokenListAnswer:
        """List one's own tokens, revoked ones included."""
        response.headers["Cache-Control"] = "no-store"
        owned = list_tokens(access.database, principal_of(request).name)
        return TokenListAnswer(tokens=tuple(TokenAnswer(**token_fields(one.token)) for one in owned))

    @app.post("/v1/tokens", tags=["account"], status_code=201, responses=problem_responses(403, 422, 503))
    @needs(MEMBER)
    def post_token(request: Request, response: Response, order: TokenOrder) -> NewTokenAnswer:
        """Make a token; its text is in this answer and nowhere else."""
        response.headers["Cache-Control"] = "no-store"
        lifetime = None if order.expires_in_days is None else timedelta(days=order.expires_in_days)
        wanted = TokenRequest(order.name, order.scopes, lifetime)
        principal = principal_of(request)
        token, text = create_token(
            access.database, principal.name, wanted, access.now(), _deed_of(access, principal)
        )
        return NewTokenAnswer(**token_fields(token), token=text)

    @app.delete("/v1/tokens/{token_id}", tags=["account"], responses=problem_responses(403, 404, 503))
    @needs(MEMBER)
    def delete_token(request: Request, token_id: str) -> TokenAnswer:
        """Revoke one of one's own tokens; within a second it is worthless everywhere."""
        principal = principal_of(request)
        token = revoke_token(
            access.database, token_id, access.now(), principal.user_id, _deed_of(access, principal)
        )
        guard.forget()
        return TokenAnswer(**token_fields(token))


def token_fields(token: Token) -> dict[str, object]:
    """Return what may be told of a token."""
    return {
        "id": token.id,
        "name": token.name,
        "scopes": tuple(token.scopes.split()),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }


def _user_of(access: Access, order: LoginOrder, address: str) -> User:
    if order.code is not None:
        return redeem_link(access.database, order.code, order.password, access.now())
    if order.name is None:
        raise UsageError("a login needs a name and a password, or the code of a one-time link and a password")
    return log_in(access.database, Attempt(order.name, order.password, address), access.now())


def _welcome(request: Request, response: Response, access: Access, user: User) -> MeAnswer:
    cookie = set_cookie(request, response, access, user)
    response.headers["Cache-Control"] = "no-store"
    principal = find_session(access.database, access.secret_key, cookie, access.now())
    if principal is None:
        raise NotLoggedInError("the login ended at once; try again")
    return _me(access, principal)


def _me(access: Access, principal: Principal) -> MeAnswer:
    session_id, quota = principal.session_id, principal.monthly_quota
    return MeAnswer(
        name=principal.name,
        role=principal.role,
        scopes=tuple(sorted(principal.scopes)),
        csrf_token=None if session_id is None else forgery_word(access.secret_key, session_id),
        monthly_quota=access.monthly_quota if quota is None else quota,
        calls_this_month=calls_made(access.database, principal.user_id, access.now()),
    )


def _deed_of(access: Access, principal: Principal) -> Deed | None:
    return Deed(principal.name, access.now()) if principal.role == "admin" else None
