"""The journal of one market, as its own database held it, becomes a history in that of the home."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from make_us_rich.database.journal_tables import (
    QUANTILE_COLUMNS,
    candle_notes,
    drift_verdicts,
    forecasts,
    histories,
    pending_forecasts,
    weekly_scores,
)
from make_us_rich.settings import Market

_SAID = (
    "market", "name", "cutoff", "horizon", "forecaster", "target_time", "model", "last_close",
    *QUANTILE_COLUMNS, "probability", "missing", "remark", "input_hash", "recorded_at",
)  # fmt: skip
_CHILDREN: Mapping[str, tuple[str, ...]] = {
    "outcomes": ("actual", "error", "loss", "below", "interval", "scored_at"),
    "pending_forecasts": ("market", "name", "target_time"),
}
_OF_MARKET: Mapping[str, tuple[str, ...]] = {
    "weekly_scores": (
        "market", "name", "horizon", "week", "model", "version", "n", "first_cutoff", "last_cutoff", "loss",
        "baseline_loss", "volatility_n", "volatility_loss", "loss_beside_volatility", "covered",
        "calibration",
    ),
    "candle_notes": ("market", "series", "open_time", "kind", "detail", "noted_at"),
    "drift_verdicts": ("market", "name", "horizon", "week", "version", "state", "reason", "judged_at"),
}  # fmt: skip


def join_journal(connection: Connection, schema: str, market: Market, started_at: datetime) -> int:
    """Copy the journal of an attached database as the next history of its market; return its forecasts.

    One that was opened and holds nothing yet is that next one, since live can have no second. Rows keep
    their numbers in the first one that is copied; those of others follow behind.
    """
    history = _begin(connection, schema, market, started_at)
    if history is None:
        return 0
    base = connection.scalar(select(func.max(forecasts.c.id))) or 0
    given = {"base": base, "history": history, "market": market}
    said = connection.execute(text(_COPY_FORECASTS.format(schema=schema)), given).rowcount
    for table, columns in _CHILDREN.items():
        connection.execute(text(_copy_child(schema, table, columns)), given)
    for table, columns in _OF_MARKET.items():
        connection.execute(text(_copy_of_market(schema, table, columns)), given)
    return said


def has_journal(connection: Connection, market: Market, history: int) -> bool:
    """Say whether anything was written down in a history of the home."""
    kept = (forecasts, pending_forecasts, weekly_scores, candle_notes, drift_verdicts)
    return any(
        connection.execute(
            select(table.c.market).where(table.c.market == market, table.c.history == history).limit(1)
        ).first()
        for table in kept
    )


def _begin(connection: Connection, schema: str, market: Market, started_at: datetime) -> int | None:
    if connection.scalar(text(_HAS_ROWS.format(schema=schema)), {"market": market}) is None:
        return None
    of_market = select(histories).where(histories.c.market == market)
    newest = connection.execute(of_market.order_by(histories.c.number.desc()).limit(1)).first()
    if newest is None:
        number = 1
    elif newest.dropped_at is None and not has_journal(connection, market, newest.number):
        return int(newest.number)  # as it is: a history says for good when it began
    else:
        number = newest.number + 1
    first = text(f"SELECT min(cutoff) AS first FROM {schema}.forecasts WHERE market = :market")  # noqa: S608
    began_at = connection.scalar(first.columns(first=histories.c.began_at.type), {"market": market})
    row = {"market": market, "number": number, "began_at": began_at or started_at, "started_at": started_at}
    connection.execute(histories.insert(), row)
    return number


_HAS_ROWS = " UNION ALL ".join(
    f"SELECT 1 FROM {{schema}}.{table} WHERE market = :market"  # noqa: S608
    for table in ("forecasts", "candle_notes", "drift_verdicts")
)
_COPY_FORECASTS = (
    f"INSERT INTO main.forecasts (id, history, question, version, counted, {', '.join(_SAID)}) "  # noqa: S608
    f"SELECT id + :base, :history, coalesce(question, ''), coalesce(version, 0), 1, {', '.join(_SAID)} "
    "FROM {schema}.forecasts WHERE market = :market ORDER BY id"
)


def _copy_child(schema: str, table: str, columns: tuple[str, ...]) -> str:
    names, values = ", ".join(columns), ", ".join(f"o.{column}" for column in columns)
    history, number = (", history", ", :history") if "market" in columns else ("", "")
    return (
        f"INSERT INTO main.{table} (forecast_id{history}, {names}) "  # noqa: S608
        f"SELECT o.forecast_id + :base{number}, {values} FROM {schema}.{table} AS o "
        f"JOIN {schema}.forecasts AS f ON f.id = o.forecast_id "
        "WHERE f.market = :market ORDER BY o.forecast_id"
    )


def _copy_of_market(schema: str, table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    return (
        f"INSERT INTO main.{table} (history, {names}) "  # noqa: S608
        f"SELECT :history, {names} FROM {schema}.{table} WHERE market = :market ORDER BY rowid"
    )
