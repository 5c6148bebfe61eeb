"""How fast an exchange may be asked: its own weights, in a budget all processes share."""

from collections.abc import Mapping
from typing import Any, Literal

from make_us_rich.market.budget import Allowance, BudgetReading, RequestBudget

_MINUTE: Literal[60] = 60
_SHARE = 0.9  # the rest is for whoever else asks from this address


def exchange_allowance(requests_per_minute: float) -> Allowance:
    """Return the allowance of an exchange until it states a limit of its own."""
    return Allowance(_MINUTE, requests_per_minute, _SHARE)


class ExchangePace:
    """Lets each request of a ccxt exchange wait for its turn, and learns from each answer.

    ccxt knows what a request costs relative to others and to the exchange's rate. Where the exchange
    states a limit in weight, costs are scaled to it; where it tells the weight used, that counts.
    """

    def __init__(self, exchange: Any, budget: RequestBudget) -> None:
        self._exchange = exchange
        self._budget = budget
        self._weight_per_cost = 1.0
        self._answered = exchange.on_rest_response
        exchange.throttle = self._before_request
        exchange.on_rest_response = self._after_answer

    def learn_limit(self, exchange_info: object) -> None:
        """Take the limit of weight a minute from what the exchange says about itself."""
        limit = _stated_limit(exchange_info)
        if limit is not None:
            self._weight_per_cost = limit * self._exchange.rateLimit / 60_000
            self._budget.report_limit(_MINUTE, limit)

    def pause(self, seconds: float) -> None:
        """Keep every process from asking for a time."""
        self._budget.report_pause(seconds)

    def readings(self) -> tuple[BudgetReading, ...]:
        """Return what is left."""
        return tuple(self._budget.readings())

    def _before_request(self, cost: float | None = None) -> None:
        cost = 1.0 if cost is None else cost
        self._budget.spend(
            self._weight_per_cost * cost, spacing_seconds=cost * self._exchange.rateLimit / 1000
        )

    def _after_answer(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
        used = _used_weight(headers)
        if used is not None:
            self._budget.report_used(_MINUTE, used)
        return self._answered(code, reason, url, method, headers, *rest)


def _used_weight(headers: Mapping[str, str]) -> float | None:
    told = {name.upper(): value for name, value in headers.items()}.get("X-MBX-USED-WEIGHT-1M", "")
    return float(told) if told.isdecimal() else None


def _stated_limit(exchange_info: object) -> float | None:
    limits = exchange_info.get("rateLimits", []) if isinstance(exchange_info, dict) else []
    for limit in limits:
        kind = (limit.get("rateLimitType"), limit.get("interval"), limit.get("intervalNum"))
        if kind == ("REQUEST_WEIGHT", "MINUTE", 1) and float(limit.get("limit", 0)) > 0:
            return float(limit["limit"])
    return None
