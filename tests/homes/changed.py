"""What a home of 0.1.0 is answered otherwise today, on purpose, question by question.

Then each market had people of its own; now they belong to the home (docs/decisions/0009). The home recorded
here has two markets: the replay, last in use, has the say; the simulated one is older, so what was made
there comes first by time. An expected answer is made from what was recorded of both, so that nobody and
nothing of either may be missing, and a value that neither had may not be there.

A question that is not named here is answered as it was; one that is named and answered as it was fails, too.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Answers = list[dict[str, Any]]
Record = Mapping[str, Answers]
Rows = list[dict[str, Any]]

BEN, ADA = "token ben: GET", "token ada: GET"
SIMULATED_BEN, SIMULATED_GUS = (
    "token simulated_ben on simulated: GET",
    "token simulated_gus on simulated: GET",
)
OLD_LOGIN = "nobody on simulated: POST /v1/login (name=ben password={simulated_ben_password}), GET /v1/me"
NEW_COLUMNS = ["taker_buy_base", "trades", "market_variance"]
STORED = "ADA/USDT 1d, BTC/USDT 1h, ETH/USDT 1h, SOL/USDT 1d"


def expected_answers(record: Record, question: str) -> Answers:
    """Return what a question is to be answered today."""
    change = CHANGED.get(question)
    return record[question] if change is None else change(record, question)


def _with(answers: Answers, place: int, **values: Any) -> Answers:
    # the answers with other values in one of the bodies; what is not named stays as it was
    changed = answers[place] | {"body": answers[place]["body"] | values}
    return [*answers[:place], changed, *answers[place + 1 :]]


def _rows(record: Record, question: str, key: str, place: int = 0) -> Rows:
    rows: Rows = record[question][place]["body"][key]
    return rows


# Users: those of both, by name. Who was in both is as the replay knew them, but as old as the older one.


def _joined_users(replay: Rows, simulated: Rows) -> Rows:
    users = {user["name"]: user for user in simulated}
    for user in replay:
        users[user["name"]] = user | _of_both(user, users.get(user["name"], user))
    return [users[name] for name in sorted(users)]


def _of_both(user: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {"created_at": min(user["created_at"], other["created_at"])} if "created_at" in user else {}


def _listed_users(place: int = 0) -> Callable[[Record, str], Answers]:
    # of a question that ends in the list the command prints
    def change(record: Record, question: str) -> Answers:
        simulated = _rows(record, "mur users list --market simulated", "users")
        users = _joined_users(_rows(record, question, "users", place), simulated)
        return _with(record[question], place, users=users)

    return change


def _answered_users(place: int = 0) -> Callable[[Record, str], Answers]:
    # of a question that ends in the list administrators get
    def change(record: Record, question: str) -> Answers:
        simulated = _rows(record, f"{SIMULATED_GUS} /v1/admin/users", "users")
        users = _joined_users(_rows(record, question, "users", place), simulated)
        return _with(record[question], place, users=users)

    return change


def _changed_users(record: Record, question: str) -> Answers:
    # ben, who is changed first, is as old as he was on the simulated market
    ben, _ = _rows(record, f"{SIMULATED_GUS} /v1/admin/users", "users")
    answers = _answered_users(2)(record, question)
    return _with(answers, 0, created_at=ben["created_at"])


def _simulated_users(listed: str) -> Callable[[Record, str], Answers]:
    # asked on the simulated market: the same list as on the replay
    def change(record: Record, question: str) -> Answers:
        users = _joined_users(_rows(record, listed, "users"), _rows(record, question, "users"))
        return _with(record[question], 0, users=users)

    return change


# The last administrator of the replay is not the last one of the home: gus, of the simulated market, is one.


def _ada_kept_out_by_command(_: Record, __: str) -> Answers:
    return [{"status": 0, "body": {"name": "ada", "disabled": True}}]


def _ada_kept_out(record: Record, _: str) -> Answers:
    (listed,) = record[f"{ADA} /v1/admin/users"]
    (ada,) = (user for user in listed["body"]["users"] if user["name"] == "ada")
    return [listed | {"body": ada | {"is_disabled": True}}]


# Tokens: those of both; the ones of the simulated market are older, and lists begin with the oldest.


def _listed_tokens(record: Record, question: str) -> Answers:
    tokens = _rows(record, "mur tokens list --market simulated", "tokens")
    tokens = tokens + _rows(record, "mur tokens list", "tokens")
    owners = ("ben",) if question.endswith(" ben") else ("ada", "ben", "gus")
    return _with(record[question], 0, tokens=[token for token in tokens if token["user"] in owners])


def _tokens_of_ben(place: int = 0) -> Callable[[Record, str], Answers]:
    def change(record: Record, question: str) -> Answers:
        (older,) = _rows(record, f"{SIMULATED_BEN} /v1/tokens", "tokens")
        if question.startswith("login"):  # nobody uses it there
            older = older | {"last_used_at": "2024-05-17T01:00:00Z"}
        tokens = [token | _unused(token) for token in _rows(record, question, "tokens", place)]
        return _with(record[question], place, tokens=[older, *tokens])

    return change


def _unused(token: dict[str, Any]) -> dict[str, Any]:
    # the first token of a list is recorded without its last use; now it is the second, and says it: never
    return {"last_used_at": None} if token["last_used_at"] == "<nothing>" else {}


def _simulated_tokens_of_ben(record: Record, question: str) -> Answers:
    mine = "login ben: POST /v1/tokens (name=phone expires_in_days=7), DELETE /v1/tokens/{ben_token_id}, "
    script, reports, _ = _rows(record, f"{mine}GET /v1/tokens", "tokens", 2)
    reports = reports | {"revoked_at": None}  # it was revoked there
    return _with(record[question], 0, tokens=[*_rows(record, question, "tokens"), script, reports])


# What was counted: the calls of a month are summed, and the quota is the one of the replay.


def _usage_in_may(record: Record, question: str) -> Answers:
    calls: dict[str, int] = {}
    for market in (ADA, SIMULATED_GUS):
        for row in _rows(record, f"{market} /v1/admin/usage?month=2024-05", "usage"):
            calls[row["name"]] = calls.get(row["name"], 0) + row["calls"]
    usage = [{"name": name, "calls": calls[name]} for name in sorted(calls)]
    return _with(record[question], 0, usage=usage)


def _ben_on_the_simulated_market(record: Record, question: str) -> Answers:
    on_replay = record[f"{BEN} /v1/me"][0]["body"]
    told = {key: on_replay[key] for key in ("monthly_quota", "calls_this_month")}
    return _with(record[question], 0, **told)


# Deeds: those of both, the newest first.


def _deeds(record: Record, question: str) -> Answers:
    markets = (ADA, SIMULATED_GUS)
    deeds = [deed for market in markets for deed in _rows(record, f"{market} /v1/admin/audit", "deeds")]
    return _with(record[question], 0, deeds=deeds)


# The password ben had on the simulated market is wrong now: that of the replay is his.


def _old_password(record: Record, _: str) -> Answers:
    return record["nobody: POST /v1/login (name=ben password=wrong)"] + record["nobody: GET /v1/me"]


# The watchlist of ben: BTC and ETH of the replay and SOL of the simulated market, each valued by the candles
# of the market that is asked.


def _watched(record: Record, question: str) -> Answers:
    (sol,) = _rows(record, f"{SIMULATED_BEN} /v1/watchlist", "holdings")
    without_candles = sol | {"reason": sol["reason"].replace("are: none", f"are: {STORED}")}
    return _with(record[question], 0, holdings=[*_rows(record, question, "holdings"), without_candles])


def _watched_by_day(record: Record, question: str) -> Answers:
    (sol,) = _rows(record, f"{SIMULATED_BEN} /v1/watchlist", "holdings")
    holding = sol | _valued(record, sol["amount"])
    kept = ("quote", "value", "change_24h", "change_24h_value")
    steps = [
        {key: step[key] for key in ("horizon", "median", "interval_90")} | {"widest_90": step["interval_90"]}
        for step in holding["steps"]
    ]
    alone = {"symbols": [sol["symbol"]], "combined_by": "one pair: its own interval", "correlation": [[1.0]]}
    total = {key: holding[key] for key in kept} | {"steps": steps} | alone
    holdings = [*_rows(record, question, "holdings"), holding]
    return _with(record[question], 0, holdings=holdings, totals=[total])


def _valued(record: Record, amount: float) -> dict[str, Any]:
    # by the candles and the forecast recorded of SOL/USDT 1d on the replay
    candles = _rows(record, "everybody: GET /v1/candles/SOL-USDT?timeframe=1d&limit=2", "candles")
    before, price = (candle["close"] for candle in candles)
    *_, forecast = _rows(record, "everybody: GET /v1/forecasts", "forecasts")
    return {
        "price": price,
        "value": amount * price,
        "change_24h": price / before - 1,
        "change_24h_value": amount * (price - before),
        "cutoff": forecast["cutoff"],
        "stale": False,
        "steps": [_valued_step(step, amount) for step in forecast["steps"]],
        "reason": None,
    }


def _valued_step(step: dict[str, Any], amount: float) -> dict[str, Any]:
    told = {key: step[key] for key in ("horizon", "target_time", "is_baseline")}
    interval = [amount * step["quantiles"][level] for level in ("0.05", "0.95")]
    return told | {"median": amount * step["median"], "interval_90": interval}


def _watched_on_the_simulated_market(record: Record, question: str) -> Answers:
    (sol,) = _rows(record, question, "holdings")
    replay = _rows(record, f"{BEN} /v1/watchlist", "holdings")
    others = [
        sol
        | {key: held[key] for key in ("symbol", "amount")}
        | {"reason": sol["reason"].replace(sol["symbol"], held["symbol"])}
        for held in replay
    ]
    return _with(record[question], 0, holdings=[*others, sol])


# The doctor says the same, and more: what becomes, or has become, of the databases of the markets.


def _doctor(record: Record, question: str) -> Answers:
    home, training, *others = _rows(record, question, "checks")
    return _with(record[question], 0, checks=[home, training, *map(_waiting, _MARKETS), *others])


def _doctor_that_migrates(record: Record, question: str) -> Answers:
    home, training, *others = _rows(record, question, "checks")
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    said = {
        "database": "<home>/desk.db has schema 0004",
        "joined replay": f"replay/desk.db, {day}: 5 users, 3 tokens, 220 forecasts",
        "joined simulated": f"simulated/desk.db, {day}: 2 users (ben had an account here already), 2 tokens, "
        "27 forecasts",
    }
    joined = [{"name": name, "verdict": "ok", "says": says} for name, says in said.items()]
    return _with(record[question], 0, checks=[home, training, *joined, *others])


_MARKETS = ("replay", "simulated")


def _waiting(market: str) -> dict[str, str]:
    says = (
        f"<home>/{market}/desk.db is of an earlier version and not in use; `mur doctor --migrate` joins it "
        "with the home's"
    )
    return {"name": f"{market} database", "verdict": "warning", "says": says}


# Not of people: three optional inputs have become features since, and every feature is checked, first of all.


def _leakage(record: Record, question: str) -> Answers:
    return _with(record[question], 0, columns=NEW_COLUMNS + record[question][0]["body"]["columns"])


CHANGED: Mapping[str, Callable[[Record, str], Answers]] = {
    "mur leakage": _leakage,
    "mur doctor": _doctor,
    "mur doctor --migrate --market replay": _doctor_that_migrates,
    "mur users list": _listed_users(),
    "mur users list --market simulated": _simulated_users("mur users list"),
    "mur users add Hedy --role admin; mur users list": _listed_users(1),
    "mur users disable ben; mur users list; mur users disable ben --enable": _listed_users(1),
    "mur users reset ben; mur users list": _listed_users(1),
    "mur users disable ada": _ada_kept_out_by_command,
    "mur tokens list": _listed_tokens,
    "mur tokens list ben": _listed_tokens,
    "mur tokens list --market simulated": _listed_tokens,
    f"{BEN} /v1/tokens": _tokens_of_ben(),
    f"{BEN} /v1/watchlist": _watched,
    f"{BEN} /v1/watchlist?timeframe=1d": _watched_by_day,
    f"{ADA} /v1/admin/users": _answered_users(),
    f"{ADA} /v1/admin/usage?month=2024-05": _usage_in_may,
    f"{ADA} /v1/admin/audit": _deeds,
    "login ben: POST /v1/tokens (name=phone expires_in_days=7), DELETE /v1/tokens/{ben_token_id}, "
    "GET /v1/tokens": _tokens_of_ben(2),
    "token ada: PATCH /v1/admin/users/ben (role=admin monthly_quota=7), "
    "PATCH /v1/admin/users/carl (is_disabled=False), GET /v1/admin/users": _changed_users,
    "token ada: PATCH /v1/admin/users/ada (is_disabled=True)": _ada_kept_out,
    "token ada: POST /v1/admin/users/ben/reset, GET /v1/admin/users": _answered_users(1),
    f"{SIMULATED_BEN} /v1/me": _ben_on_the_simulated_market,
    f"{SIMULATED_BEN} /v1/watchlist": _watched_on_the_simulated_market,
    f"{SIMULATED_BEN} /v1/tokens": _simulated_tokens_of_ben,
    f"{SIMULATED_GUS} /v1/admin/users": _simulated_users(f"{ADA} /v1/admin/users"),
    f"{SIMULATED_GUS} /v1/admin/usage?month=2024-05": _usage_in_may,
    f"{SIMULATED_GUS} /v1/admin/audit": _deeds,
    OLD_LOGIN: _old_password,
}
"""Every question with an answer of its own today, and how that is made from what was recorded."""
