"""Every request passes here: who asks, whether they may, how often, and what every answer carries."""

import time
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from make_us_rich.accounts.pace import Pacer
from make_us_rich.accounts.principal import Principal
from make_us_rich.accounts.quota import seconds_to_next_month
from make_us_rich.errors import MakeUsRichError, NotAllowedError, NotLoggedInError, TooManyCallsError
from make_us_rich.serving.access import Access
from make_us_rich.serving.credentials import Kind, header_of, read_credential, read_query_token
from make_us_rich.serving.forgery import HEADER, require_own_site, require_word
from make_us_rich.serving.headers import DOCS_HEADERS, SECURITY_HEADERS, TLS_HEADERS, RawHeaders, raw
from make_us_rich.serving.metering import Meter
from make_us_rich.serving.needs import SAFE_METHODS, Need, RouteNeed, RouteNeeds
from make_us_rich.serving.problems import problem_of
from make_us_rich.serving.recognition import Recognition

LOGINS_PER_MINUTE = 60
PRINCIPAL = "make_us_rich.principal"

_SECURITY = raw(SECURITY_HEADERS)
_DOCS = raw(DOCS_HEADERS)
_TLS = raw(TLS_HEADERS)
_VARY = (b"vary", b"Authorization, Cookie")
_THREADS = 2


class Guard:
    """Admits requests or refuses them; shared by the gate and the routes that change who may what."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.needs = RouteNeeds([])
        """Set once every route is there."""
        self._executor = ThreadPoolExecutor(_THREADS, "accounts")
        self._recognition = Recognition(access, self._executor)
        self._meter = Meter(access, self._executor)
        self._pacer = Pacer(access.rate_limit_per_minute)
        self._strangers = Pacer(LOGINS_PER_MINUTE)

    def forget(self) -> None:
        """Feel a change of accounts made by this process at once."""
        self._recognition.forget()

    def close(self) -> None:
        """Put back what was lent, and end the threads; what they have begun they finish."""
        self._meter.give_back()
        self._executor.shutdown()

    async def admit(self, scope: Scope, told: RawHeaders) -> Principal | None:
        """Return who asks, None where anybody may; what they should know about limits is added to `told`."""
        path, method = route_path(scope), scope["method"]
        route = self.needs.of(path)
        need = route.need
        if method not in SAFE_METHODS and route.is_login:
            self._admit_stranger(scope)
        if need is Need.NOTHING:
            return None
        principal = await self._recognise(scope, route)
        if principal is None:
            if need is Need.READER and (self.access.public_read or path == "/predict"):
                return None  # /predict has an answer of its own to requests without a token
            raise NotLoggedInError("this needs a token, Authorization: Bearer mur_…, or a login at /login")
        if method not in SAFE_METHODS:
            self._require_may_write(scope, route, principal)
        if need is Need.ADMIN and not principal.is_admin:
            raise NotAllowedError(f"{path} is for administrators, and for tokens with the scope admin")
        await self._count(principal, told, month_counts=route.is_counted)
        await self._meter.note_use(principal)
        return principal

    async def _recognise(self, scope: Scope, route: RouteNeed) -> Principal | None:
        credential = read_credential(scope)
        is_old_way = credential is None and route.is_original
        if is_old_way:
            credential = read_query_token(scope)
        if credential is None:
            return None
        principal = await self._recognition.principal(credential)
        if principal is None and credential.kind is Kind.TOKEN:
            if is_old_way and self.access.public_read:
                return None  # clients of the first systems send tokens this desk never knew
            raise NotLoggedInError("the token is unknown, revoked or expired; make another with `mur tokens`")
        return principal

    def _admit_stranger(self, scope: Scope) -> None:
        require_own_site(scope)
        pace = self._strangers.take(address_of(scope), time.monotonic())
        if not pace.is_allowed:
            raise TooManyCallsError("too many logins from this address; wait a little", pace.retry_seconds)

    def _require_may_write(self, scope: Scope, route: RouteNeed, principal: Principal) -> None:
        if principal.token_id is None:
            require_own_site(scope)
            if not route.is_form:
                require_word(header_of(scope, HEADER), principal, self.access.secret_key)
        elif not principal.may_write and not route.is_original:
            raise NotAllowedError("a token with the scope read changes nothing; log in, or use scope admin")

    async def _count(self, principal: Principal, told: RawHeaders, *, month_counts: bool) -> None:
        pace = self._pacer.take(principal.user_id, time.monotonic())
        per_minute = self.access.rate_limit_per_minute
        if not month_counts or principal.token_id is None or not pace.is_allowed:
            _tell_limit(told, per_minute, pace.left, pace.reset_seconds)
            if not pace.is_allowed:
                raise TooManyCallsError(f"more than {per_minute} calls a minute; wait", pace.retry_seconds)
            return
        reading = await self._meter.take(principal)
        reset = seconds_to_next_month(self.access.now())
        if reading.is_granted and pace.left < reading.left:
            _tell_limit(told, per_minute, pace.left, pace.reset_seconds)
        else:
            _tell_limit(told, reading.quota, reading.left, reset)
        if not reading.is_granted:
            raise TooManyCallsError(
                f"the {reading.quota} calls of this month are used up; logged in at /login they do not count",
                reset,
            )


class Gate:
    """ASGI middleware around the whole API, innermost but for the error handlers."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard
        self._is_public = guard.access.public_read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit or refuse a request, and complete the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told: RawHeaders = []

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._completed(scope, message["headers"], told)
            await send(message)

        try:
            scope[PRINCIPAL] = await self._guard.admit(scope, told)
        except MakeUsRichError as error:
            await problem_of(error, scope["path"])(scope, receive, send_completed)
            return
        await self._app(scope, receive, send_completed)

    def _completed(self, scope: Scope, headers: RawHeaders, told: RawHeaders) -> RawHeaders:
        common = _DOCS if scope["path"].endswith("/docs") else _SECURITY
        completed = [*headers, *common, *told]
        if scope["scheme"] == "https":
            completed += _TLS
        if not self._is_public or scope.get(PRINCIPAL) is not None:
            # an answer to somebody is kept by their own browser at most, not by a proxy between us
            completed = [_private(header) for header in completed]
        completed.append(_VARY)  # where everybody may read, who is known may still see more
        return completed


def principal_of(request: Request) -> Principal:
    """Return who asks a route that only those who are known may ask."""
    principal = request.scope.get(PRINCIPAL)
    if not isinstance(principal, Principal):
        raise NotLoggedInError("this needs a token, Authorization: Bearer mur_…, or a login at /login")
    return principal


def asker_of(request: Request) -> int | None:
    """Return the id of the user who asks; None for nobody known."""
    principal = request.scope.get(PRINCIPAL)
    return principal.user_id if isinstance(principal, Principal) else None


def is_nobody(request: Request) -> bool:
    """Say whether a request came without a token or a login."""
    return request.scope.get(PRINCIPAL) is None


def admin_of(request: Request) -> Principal:
    """Return the administrator who asks; the gate has looked already, and once more costs nothing."""
    principal = principal_of(request)
    if not principal.is_admin:
        raise NotAllowedError("this is for administrators, and for tokens with the scope admin")
    return principal


def address_of(scope: Scope) -> str:
    """Return the network address of the client, as far as trusted proxies tell it."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def route_path(scope: Scope) -> str:
    """Return the path below the one a proxy offers the API under, as the routes know it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) or "/" if root and path.startswith(root + "/") else path


def _private(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    if header[0] == b"cache-control" and header[1].startswith(b"max-age"):
        return header[0], b"private, " + header[1]
    return header


def _tell_limit(told: RawHeaders, limit: int, left: int, reset_seconds: int) -> None:
    told += [
        (b"ratelimit-limit", b"%d" % limit),
        (b"ratelimit-remaining", b"%d" % left),
        (b"ratelimit-reset", b"%d" % reset_seconds),
    ]
