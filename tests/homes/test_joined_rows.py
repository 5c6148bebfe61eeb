"""Serving a home of 0.1.0 joins its databases; not a row of any of them may be lost, or come twice."""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from homes.home_desk import serving

MARKETS = ("replay", "simulated")
_FORECAST = "f.market, f.name, f.cutoff, f.horizon, f.forecaster"
_QUANTILES = "q025, q050, q100, q200, q250, q400, q500, q600, q750, q800, q900, q950, q975"
_SCORES = "n, first_cutoff, last_cutoff, loss, baseline_loss, volatility_n, volatility_loss"


def _owned(table: str, columns: str) -> str:
    return f"SELECT u.name, {columns} FROM {table} AS t JOIN users AS u ON u.id = t.user_id"


def _of_forecast(table: str, columns: str) -> str:
    return f"SELECT {_FORECAST}, {columns} FROM {table} AS t JOIN forecasts AS f ON f.id = t.forecast_id"


ROWS = {  # what stands in a row, whatever numbers users and forecasts have
    "tokens": _owned(
        "tokens", "t.id, t.name, secret_hash, scopes, t.created_at, expires_at, last_used_at, revoked_at"
    ),
    "sessions": _owned("sessions", "t.id, t.created_at, expires_at"),
    "one_time_links": _owned("one_time_links", "code_hash, t.created_at, expires_at, used_at"),
    "watchlist": _owned("watchlist", "symbol, amount, t.created_at"),
    "invitations": "SELECT code_hash, t.role, a.name, t.created_at, expires_at, b.name, used_at "
    "FROM invitations AS t LEFT JOIN users AS a ON a.id = created_by LEFT JOIN users AS b ON b.id = used_by",
    "login_failures": "SELECT key, count, last_at, locked_until FROM login_failures",
    "audit": "SELECT at, actor, action, subject, detail FROM audit",
    "forecasts": f"SELECT {_FORECAST}, coalesce(question, ''), coalesce(version, 0), target_time, model, "
    f"last_close, {_QUANTILES}, probability, missing, remark, input_hash, recorded_at FROM forecasts AS f",
    "outcomes": _of_forecast("outcomes", "actual, error, loss, below, interval, scored_at"),
    "pending_forecasts": _of_forecast("pending_forecasts", "t.market, t.name, t.target_time"),
    "weekly_scores": f"SELECT market, name, horizon, week, model, version, {_SCORES}, "
    "loss_beside_volatility, covered, calibration FROM weekly_scores",
    "candle_notes": "SELECT market, series, open_time, kind, detail, noted_at FROM candle_notes",
    "drift_verdicts": "SELECT market, name, horizon, week, version, state, reason, judged_at "
    "FROM drift_verdicts",
}
CALLS = _owned("usage", "month, calls")


def _rows(path: Path, query: str) -> Counter[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return Counter(connection.execute(query).fetchall())


def _summed_calls(paths: Iterable[Path]) -> Counter[tuple[str, str]]:
    calls: Counter[tuple[str, str]] = Counter()
    for path in paths:
        for name, month, made in _rows(path, CALLS):
            calls[name, month] += made
    return calls


def _log_somebody_in(path: Path, market: str) -> None:
    # because nobody was logged in, and nobody had failed to, when the home was recorded
    moment, stat = "2024-05-19 00:00:00.000000", path.stat()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO sessions VALUES (?, 1, ?, ?)", (market, moment, moment))
        connection.execute("INSERT INTO login_failures VALUES (?, 2, ?, NULL)", (market, moment))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # the replay stays the one last in use


def _files(home: Path) -> dict[str, bytes]:
    kept = (path for path in home.rglob("*") if path.is_file() and not path.name.startswith("desk.db"))
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in kept}


@pytest.fixture(scope="module")
def left(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home as it was left, with somebody logged in on each market."""
    left = tmp_path_factory.mktemp("rows") / "left"
    shutil.copytree(home, left)
    for market in MARKETS:
        _log_somebody_in(left / market / "desk.db", market)
    return left


@pytest.fixture(scope="module")
def served(left: Path) -> Path:
    """The same home after both of its markets were served."""
    served = left.with_name("served")
    shutil.copytree(left, served)
    for market in MARKETS:
        with serving(served, market, {}):
            pass
    return served


def _old(left: Path) -> list[Path]:
    return [left / market / "desk.db" for market in MARKETS]


@pytest.mark.parametrize("table", ROWS)
def test_every_row_of_both_markets_is_there_once(left: Path, served: Path, table: str) -> None:
    before = sum((_rows(path, ROWS[table]) for path in _old(left)), Counter())
    assert before
    assert _rows(served / "desk.db", ROWS[table]) == before


def test_every_table_of_a_market_is_looked_at(left: Path) -> None:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
    named = {name for path in _old(left) for (name,) in _rows(path, tables)}
    assert named - set(ROWS) == {"users", "usage", "alembic_version"}


def test_everybody_is_there_once_and_their_calls_are_summed(left: Path, served: Path) -> None:
    names = "SELECT name FROM users"
    everybody = {row for path in _old(left) for row in _rows(path, names)}
    assert _rows(served / "desk.db", names) == Counter(everybody)
    assert _summed_calls([served / "desk.db"]) == _summed_calls(_old(left))


def test_the_old_databases_stay_as_they_were(left: Path, served: Path) -> None:
    for market in MARKETS:
        put_away = served / market / "desk.db.joined"
        for query in (*ROWS.values(), CALLS):
            assert _rows(put_away, query) == _rows(left / market / "desk.db", query)


def test_candles_snapshots_and_shelves_are_not_touched(left: Path, served: Path) -> None:
    before, now = _files(left), _files(served)
    moved = before.pop("replay/secret_key")  # it signed the cookies of the market last in use
    assert {name: now.get(name) for name in before} == before
    assert now["secret_key"] == moved
