"""Everything a home of 0.1.0 is asked: every command with an answer in JSON, and every route of its API.

`{name}` in a line, a path or a body stands for a secret of the home, `{next_cursor}` or `{csrf_token}` for
what the answer before said, `{folder}` for an empty folder and `{recording}` for a recording that goes on
for two hours.
"""

from dataclasses import dataclass
from typing import Any

PRICE, TREND = "price.BTC-USDT.1h", "trend-up.SOL-USDT.1d"
Call = tuple[str, str] | tuple[str, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands that are run one after the other on a fresh copy of the home."""

    lines: tuple[str, ...]
    is_slow: bool = False

    @property
    def name(self) -> str:
        """How the question is called in the record."""
        return f"mur {'; mur '.join(self.lines)}"


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of one client, one after the other; `who` is nobody, `token NAME` or `login NAME`.

    A third entry of a call holds a `json` or `data` body or `headers`; `again` asks a second time with the
    ETag of the first answer. `is_public` lets everybody read; what `is_harmless` changes nothing though it
    is no GET.
    """

    who: str
    calls: tuple[Call, ...]
    market: str = "replay"
    is_public: bool = False
    is_harmless: bool = False

    @property
    def name(self) -> str:
        """How the question is called in the record."""
        where = "" if self.market == "replay" else f" on {self.market}"
        who = "everybody" if self.is_public else self.who
        return f"{who}{where}: {', '.join(_said(call) for call in self.calls)}"

    @property
    def leaves_no_trace(self) -> bool:
        """Whether others may be asked on the same running service afterwards."""
        return self.is_harmless or all(call[0] == "GET" for call in self.calls)

    @property
    def room(self) -> str:
        """Which service is shared: what is read of accounts must not see the calls that are counted.

        A login stays with its client, so it has a service of its own.
        """
        is_account = self.calls[0][1].startswith(("/v1/me", "/v1/tokens", "/v1/admin"))
        login = self.who if self.who.startswith("login") else ""
        return f"{self.market} {self.is_public} {is_account} {login}"


Question = Commands | Requests


def _said(call: Call) -> str:
    options = call[2] if len(call) > 2 else {}
    body = options.get("json") or options.get("data") or {}
    given = " ".join(f"{key}={value}" for key, value in body.items() if " " not in str(value))
    again = " again" if options.get("again") else ""
    return f"{call[0]} {call[1]}{again}{f' ({given})' if given else ''}"


def _run(*lines: str, is_slow: bool = False) -> Commands:
    return Commands(lines, is_slow)


def _get(who: str, *paths: str, **options: Any) -> list[Requests]:
    return [Requests(who, (("GET", path),), **options) for path in paths]


def _read(*paths: str) -> list[Requests]:
    return _get("nobody", *paths, is_public=True)


def _again(*paths: str) -> list[Requests]:
    return [Requests("nobody", (("GET", path, {"again": True}),), is_public=True) for path in paths]


def _change(who: str, *calls: Call, **options: Any) -> Requests:
    return Requests(who, calls, **options)


def _harmless(who: str, *call: Any, **options: Any) -> Requests:
    return Requests(who, (call,), is_harmless=True, **options)


SPAN = "--since 2023-11-01 --until 2024-06-05"

COMMANDS: tuple[Commands, ...] = (
    _run("fetch BTC/USDT --source simulated --since 2024-01-01 --until 2024-01-03"),
    _run("fetch BTC/USDT ETH/USDT --source replay:{recording} --since 3d"),
    _run("fetch SOL/USDT --source replay:{recording} --timeframe 1d --since 10d --repair"),
    _run("fetch DOGE/USDT --source replay:{recording}"),
    _run("quality BTC/USDT"),
    _run("quality SOL/USDT --timeframe 1d --market replay"),
    _run("quality DOGE/USDT"),
    _run("train BTC/USDT --market replay --preset volatility " + SPAN, is_slow=True),
    _run("train ETH/USDT --market replay --preset volatility"),
    _run(
        "backtest BTC/USDT --market replay --preset volatility --output {folder}/report " + SPAN, is_slow=True
    ),
    _run("leakage", is_slow=True),
    _run("leakage SOL/USDT --timeframe 1d", is_slow=True),
    _run("forecast BTC/USDT"),
    _run("forecast ETH/USDT --market replay"),
    _run("forecast DOGE/USDT"),
    _run("trends"),
    _run("trends up"),
    _run("trends down --market replay"),
    _run("trends sideways"),
    _run("feed --once --source replay:{recording}", "feed --once --source replay:{recording}"),
    _run("feed"),
    _run("doctor"),
    _run("doctor --migrate --market replay"),
    _run(f"export {PRICE} {{folder}}/exported"),
    _run(f"export {PRICE}@2 {{folder}}/exported", f"export {PRICE}@2 {{folder}}/exported"),
    _run(f"export {TREND} {{folder}}/exported --market replay"),
    _run("clean --dry-run"),
    _run("clean", "clean", "models list"),
    _run("clean --market simulated --dry-run"),
    _run("models list"),
    _run("models list --market simulated"),
    _run(f"models show {PRICE}"),
    _run(f"models show {PRICE}@2"),
    _run(f"models show {TREND}"),
    _run("models show trend-up.ADA-USDT.1d"),
    _run("models show trend-down.ADA-USDT.1d"),
    _run(f"models show {PRICE}@9"),
    _run("models show price.DOGE-USDT.1h"),
    _run(f"models reproduce {PRICE}", is_slow=True),
    _run(f"models reproduce {TREND}", is_slow=True),
    _run(f"models promote {PRICE}@2", f"models show {PRICE}"),
    _run(f"models promote {PRICE}"),
    _run("models promote trend-down.ADA-USDT.1d@1", "trends down"),
    _run(f"models rollback {PRICE}", f"models rollback {PRICE}", "models list"),
    _run("models rollback trend-down.ADA-USDT.1d"),
    _run("users list"),
    _run("users list --market simulated"),
    _run("users add Hedy --role admin", "users list"),
    _run("users add ben"),
    _run("users disable ben", "users list", "users disable ben --enable"),
    _run("users disable ada"),
    _run("users reset ben", "users list"),
    _run("users reset nobody"),
    _run("tokens list"),
    _run("tokens list ben"),
    _run("tokens list --market simulated"),
    _run("tokens create ben --name cron --days 30"),
    _run("tokens create ada --scope read --scope admin"),
    _run("tokens create ben --scope admin"),
    _run("tokens revoke {ben_token_id}"),
    _run("tokens revoke 000000000000"),
    _run("nonsense"),
)

_PUBLIC: tuple[Requests, ...] = (
    *_read("/healthz", "/readyz", "/", "/docs", "/openapi.json", "/nothing", "/v1/symbols"),
    *_read("/v1/candles/BTC-USDT?limit=3", "/v1/candles/SOL-USDT?timeframe=1d&limit=2"),
    *_read("/v1/candles/DOGE-USDT", "/v1/candles/BTC-USDT?limit=0"),
    *_read("/v1/quality/BTC-USDT", "/v1/quality/SOL-USDT?timeframe=1d", "/v1/quality/DOGE-USDT"),
    *_read("/v1/forecasts", "/v1/forecasts/BTC-USDT", "/v1/forecasts/eth-usdt?timeframe=1h"),
    *_read("/v1/forecasts/DOGE-USDT", "/v1/forecasts/BTCUSDT", "/v1/forecasts/BTC-USDT?timeframe=7h"),
    *_again("/v1/forecasts", "/v1/forecasts/BTC-USDT", "/v1/trends", "/v1/trends/SOL-USDT"),
    *_read("/v1/trends", "/v1/trends?direction=up", "/v1/trends?direction=sideways"),
    *_read("/v1/trends/SOL-USDT", "/v1/trends/ADA-USDT", "/v1/trends/DOGE-USDT"),
    *_read("/v1/trends/SOL-USDT?timeframe=1h"),
    *_read("/v1/models", f"/v1/models/{PRICE}", f"/v1/models/{TREND}"),
    *_read("/v1/models/trend-up.ADA-USDT.1d", "/v1/models/trend-down.ADA-USDT.1d"),
    *_read("/v1/models/price.DOGE-USDT.1h", "/v1/models/nonsense"),
    *_read(f"/v1/models/{PRICE}/artifact", f"/v1/models/{TREND}/artifact"),
    *_again(f"/v1/models/{PRICE}/artifact"),
    *_read("/v1/models/trend-down.ADA-USDT.1d/artifact"),
    *_read("/v1/predictions?limit=3", "/v1/predictions?limit=2&format=csv"),
    *_read("/v1/predictions?symbol=BTC-USDT&horizon=1&forecaster=served&scored=true&limit=3"),
    *_read("/v1/predictions?symbol=BTC-USDT&horizon=8&forecaster=served&limit=2"),
    *_read("/v1/predictions?symbol=ETH-USDT&forecaster=volatility&scored=false&limit=1"),
    *_read("/v1/predictions?kind=trend-up&limit=4", "/v1/predictions?kind=trend-up&scored=true&limit=3"),
    *_read("/v1/predictions?since=2024-06-11&until=2024-06-12T00:00:00Z&timeframe=1h&horizon=24"),
    *_read("/v1/predictions?limit=0", "/v1/predictions?cursor=nonsense", "/v1/predictions?symbol=nonsense"),
    _change(
        "nobody",
        ("GET", "/v1/predictions?kind=price&horizon=4&forecaster=served&limit=2"),
        ("GET", "/v1/predictions?kind=price&horizon=4&forecaster=served&limit=2&cursor={next_cursor}"),
        is_public=True,
    ),
    *_read("/v1/track-record", "/v1/track-record?by=model&symbol=BTC-USDT"),
    *_read("/v1/track-record?kind=price&horizon=1&model=volatility&version=1"),
    *_read("/v1/track-record?since=2024-06-10&until=2024-06-17", "/v1/track-record?by=nonsense"),
    *_read("/v1/drift/BTC-USDT", "/v1/drift/ETH-USDT", "/v1/drift/DOGE-USDT"),
    *_read("/check_models_number", "/models", "/prediction?symbol=SOL&trend_type=uptrend"),
    *_read("/prediction?symbol=ada&trend_type=downtrend", "/prediction?symbol=DOGE&trend_type=uptrend"),
    *_read("/prediction?symbol=SOL&trend_type=sideways", "/prediction"),
    _harmless("nobody", "PUT", "/predict?currency=btc&compare=usdt", is_public=True),
    _harmless("nobody", "PUT", "/predict?currency=btc&compare=usdt&token=unknown", is_public=True),
    _harmless("nobody", "POST", "/v1/forecasts", is_public=True),
    _harmless("nobody", "DELETE", "/v1/symbols", is_public=True),
    _harmless("nobody", "PATCH", "/v1/models", is_public=True),
)

_PRIVATE: tuple[Requests, ...] = (
    *_get("nobody", "/healthz", "/readyz", "/v1/forecasts", "/v1/forecasts/BTC-USDT", "/v1/predictions"),
    *_get("nobody", "/v1/models", "/v1/me", "/v1/watchlist", "/v1/admin/users", "/models", "/nothing"),
    *_get("nobody", "/login", "/login?code={dora_code}", "/login?code=nonsense"),
    *_get("nobody", "/login?invitation={invitation}", "/logout"),
    *_get("token unknown", "/v1/forecasts"),
    *_get("nobody", "/check_models_number?token={ben_token}", "/check_models_number?token=unknown"),
    _harmless("nobody", "PUT", "/predict?currency=btc&compare=usdt"),
    _harmless("nobody", "PUT", "/predict?currency=eth&compare=usdt&token={ben_token}"),
    _harmless("nobody", "PUT", "/update_models"),
    _harmless("nobody", "PUT", "/v1/watchlist/SOL-USDT", {"json": {"amount": 1}}),
    *_get("token ben", "/v1/forecasts", "/v1/forecasts/BTC-USDT", "/v1/trends/SOL-USDT", "/v1/symbols"),
    *_get("token ben", "/v1/me", "/v1/tokens", "/v1/watchlist", "/v1/watchlist?timeframe=1d"),
    *_get("token ben", "/v1/watchlist?timeframe=7h", "/v1/admin/users", "/v1/admin/nothing", "/logout"),
    _harmless("token ben", "PUT", "/predict?currency=btc&compare=usdt"),
    _harmless("token ben", "PUT", "/predict?currency=doge&compare=usdt"),
    _harmless("token ben", "PUT", "/predict"),
    _harmless("token ben", "PUT", "/update_models"),
    _harmless("token ben", "PUT", "/update_date"),
    _harmless("token ben", "PUT", "/v1/watchlist/SOL-USDT", {"json": {"amount": 1}}),
    _harmless("token ben", "DELETE", "/v1/watchlist/BTC-USDT"),
    _harmless("token ben", "POST", "/v1/tokens", {"json": {"name": "more"}}),
    _harmless("token ben", "DELETE", "/v1/tokens/{ben_token_id}"),
    _harmless("token ben", "POST", "/v1/admin/users", {"json": {"name": "hal"}}),
    *_get("token ada", "/v1/forecasts", "/v1/me", "/v1/tokens", "/v1/watchlist"),
    *_get("token ada", "/v1/admin/users", "/v1/admin/invitations", "/v1/admin/usage"),
    *_get("token ada", "/v1/admin/usage?month=2024-05", "/v1/admin/usage?month=2024-13"),
    *_get("token ada", "/v1/admin/audit", "/v1/admin/audit?limit=2", "/v1/admin/audit?limit=0"),
)

_BEN, _ADA = {"name": "ben", "password": "{ben_password}"}, {"name": "ada", "password": "{ada_password}"}
_NEW = "seventeen purple newts"

_CHANGES: tuple[Requests, ...] = (
    _change("nobody", ("POST", "/v1/login", {"json": _BEN}), ("GET", "/v1/me"), ("GET", "/v1/forecasts")),
    _change("nobody", ("POST", "/v1/login", {"json": _ADA}), ("GET", "/v1/me")),
    _harmless("nobody", "POST", "/v1/login", {"json": {"name": "ben", "password": "wrong"}}),
    _harmless("nobody", "POST", "/v1/login", {"json": {"name": "carl", "password": "nine grey herons fly"}}),
    _harmless("nobody", "POST", "/v1/login", {"json": {"password": "only"}}),
    _harmless("nobody", "POST", "/v1/login", {"json": {"user": "ben"}}),
    _change("nobody", ("POST", "/v1/login", {"json": {"code": "{dora_code}", "password": _NEW}})),
    _harmless("nobody", "POST", "/v1/login", {"json": {"code": "{dora_code}", "password": "short"}}),
    _harmless("nobody", "POST", "/v1/login", {"json": {"code": "nonsense", "password": _NEW}}),
    _change(
        "nobody",
        ("POST", "/v1/sign-up", {"json": {"name": "Ivy", "password": _NEW, "invitation": "{invitation}"}}),
        ("POST", "/v1/sign-up", {"json": {"name": "jo", "password": _NEW, "invitation": "{invitation}"}}),
    ),
    _harmless("nobody", "POST", "/v1/sign-up", {"json": {"name": "ivy", "password": _NEW}}),
    _change("nobody", ("POST", "/login", {"data": _BEN}), ("GET", "/logout")),
    _harmless("nobody", "POST", "/login", {"data": {"name": "ben", "password": "wrong"}}),
    _change("nobody", ("POST", "/login", {"data": {"code": "{dora_code}", "password": _NEW}})),
    _change(
        "nobody",
        (
            "POST",
            "/login",
            {"data": {"new": "yes", "name": "kim", "password": _NEW, "invitation": "{invitation}"}},
        ),
    ),
    _change("login ben", ("POST", "/v1/logout"), ("GET", "/v1/watchlist", {"headers": {"X-CSRF-Token": ""}})),
    _harmless("login ben", "POST", "/logout", {"data": {"csrf_token": "wrong"}}),
    _change("login ben", ("GET", "/v1/me"), ("POST", "/logout", {"data": {"csrf_token": "{csrf_token}"}})),
    _harmless(
        "login ben",
        "PUT",
        "/v1/watchlist/SOL-USDT",
        {"json": {"amount": 1}, "headers": {"X-CSRF-Token": "no"}},
    ),
    _change(
        "login ben",
        ("PUT", "/v1/watchlist/BTC-USDT", {"json": {"amount": 0.25}}),
        ("PUT", "/v1/watchlist/SOL-USDT", {"json": {}}),
        ("DELETE", "/v1/watchlist/ETH-USDT"),
        ("GET", "/v1/watchlist"),
    ),
    _harmless("login ben", "PUT", "/v1/watchlist/BTC-USDT", {"json": {"amount": -1}}),
    _harmless("login ben", "PUT", "/v1/watchlist/nonsense", {"json": {"amount": 1}}),
    _harmless("login ben", "DELETE", "/v1/watchlist/LTC-USDT"),
    _change(
        "login ben",
        ("POST", "/v1/tokens", {"json": {"name": "phone", "expires_in_days": 7}}),
        ("DELETE", "/v1/tokens/{ben_token_id}"),
        ("GET", "/v1/tokens"),
    ),
    _harmless("login ben", "POST", "/v1/tokens", {"json": {"name": "phone", "scopes": ["admin"]}}),
    _harmless("login ben", "POST", "/v1/tokens", {"json": {"name": ""}}),
    _harmless("login ben", "DELETE", "/v1/tokens/{ada_token_id}"),
    _harmless("login ben", "GET", "/v1/admin/users"),
    _change("login ada", ("POST", "/v1/tokens", {"json": {"name": "all", "scopes": ["read", "admin"]}})),
    _change(
        "token ada",
        ("POST", "/v1/admin/users", {"json": {"name": "Hal", "role": "admin"}}),
        ("POST", "/v1/admin/users", {"json": {"name": "hal"}}),
        ("GET", "/v1/admin/audit?limit=1"),
    ),
    _harmless("token ada", "POST", "/v1/admin/users", {"json": {"name": "no good name"}}),
    _harmless("token ada", "POST", "/v1/admin/users", {"json": {"name": "hal", "role": "king"}}),
    _change(
        "token ada",
        ("PATCH", "/v1/admin/users/ben", {"json": {"role": "admin", "monthly_quota": 7}}),
        ("PATCH", "/v1/admin/users/carl", {"json": {"is_disabled": False}}),
        ("GET", "/v1/admin/users"),
    ),
    _change("token ada", ("PATCH", "/v1/admin/users/ada", {"json": {"is_disabled": True}})),
    _harmless("token ada", "PATCH", "/v1/admin/users/nobody", {"json": {"role": "admin"}}),
    _change("token ada", ("POST", "/v1/admin/users/ben/reset"), ("GET", "/v1/admin/users")),
    _harmless("token ada", "POST", "/v1/admin/users/nobody/reset"),
    _change(
        "token ada",
        ("POST", "/v1/admin/invitations", {"json": {"role": "admin"}}),
        ("DELETE", "/v1/admin/invitations/2"),
        ("GET", "/v1/admin/invitations"),
    ),
    _harmless("token ada", "DELETE", "/v1/admin/invitations/{used_invitation_id}"),
)

_SIMULATED: tuple[Requests, ...] = (
    *_get("nobody", "/v1/predictions", "/v1/symbols", market="simulated"),
    *_get("nobody", "/readyz", market="simulated"),
    *_get("token simulated_ben", "/v1/me", "/v1/watchlist", "/v1/tokens", market="simulated"),
    *_get("token simulated_ben", "/v1/symbols", "/v1/forecasts", "/v1/trends", market="simulated"),
    *_get("token simulated_ben", "/v1/models", "/v1/predictions?limit=2", market="simulated"),
    *_get("token simulated_ben", "/v1/predictions?scored=true&forecaster=served", market="simulated"),
    *_get("token simulated_ben", "/v1/track-record", "/v1/track-record?by=model", market="simulated"),
    *_get("token simulated_ben", "/v1/admin/users", "/v1/drift/BTC-USDT", market="simulated"),
    *_get("token simulated_gus", "/v1/me", "/v1/admin/usage?month=2024-05", market="simulated"),
    *_get("token simulated_gus", "/v1/admin/users", "/v1/admin/audit", market="simulated"),
    _change(
        "nobody",
        ("POST", "/v1/login", {"json": {"name": "ben", "password": "{simulated_ben_password}"}}),
        ("GET", "/v1/me"),
        market="simulated",
    ),
    _change(
        "nobody",
        ("POST", "/v1/login", {"json": {"name": "gus", "password": "{simulated_gus_password}"}}),
        market="simulated",
    ),
)

REQUESTS: tuple[Requests, ...] = (*_PUBLIC, *_PRIVATE, *_CHANGES, *_SIMULATED)
QUESTIONS: tuple[Question, ...] = (*COMMANDS, *REQUESTS)
