"""The journal: forecasts, outcomes, what is pending, weekly scores, notes on candles, verdicts on drift."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_QUANTILES = (
    "q025", "q050", "q100", "q200", "q250", "q400", "q500", "q600", "q750", "q800", "q900", "q950", "q975",
)  # fmt: skip
_APPEND_ONLY = ("forecasts", "outcomes", "candle_notes", "drift_verdicts")
_TABLES = (
    "drift_verdicts",
    "candle_notes",
    "weekly_scores",
    "pending_forecasts",
    "outcomes",
    "forecasts",
)


def upgrade() -> None:
    """Make the tables of the journal, and the triggers that keep what is written in it."""
    _create_forecasts()
    _create_outcomes()
    _create_weekly_scores()
    _create_notes()
    _forbid_changes()


def downgrade() -> None:
    """Drop the tables of the journal, and their triggers with them."""
    for table in _TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION journal_refuses_change()")


def _create_forecasts() -> None:
    op.create_table(
        "forecasts",
        _id("id"),
        *_key(),
        _text("forecaster", 16),
        _moment("target_time"),
        _text("model", 32),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("last_close", sa.Float(), nullable=False),
        _text("question", 64, nullable=True),
        *(sa.Column(name, sa.Float(), nullable=True) for name in _QUANTILES),
        sa.Column("probability", sa.Float(), nullable=True),
        _text("missing", 255, nullable=True),
        _text("remark", 255, nullable=True),
        _text("input_hash", 64),
        _moment("recorded_at"),
        sa.CheckConstraint("recorded_at < target_time", name=op.f("ck_forecasts_before_target")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecasts")),
        sa.UniqueConstraint(
            "market", "name", "cutoff", "horizon", "forecaster", name=op.f("uq_forecasts_question")
        ),
    )
    op.create_index(op.f("ix_forecasts_market_cutoff_id"), "forecasts", ["market", "cutoff", "id"])


def _create_outcomes() -> None:
    op.create_table(
        "outcomes",
        _id("forecast_id"),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("actual", "error", "loss")),
        sa.Column("below", sa.Integer(), nullable=True),
        sa.Column("interval", sa.Integer(), nullable=True),
        _moment("scored_at"),
        sa.PrimaryKeyConstraint("forecast_id", name=op.f("pk_outcomes")),
        _to_forecasts("outcomes"),
    )
    op.create_table(
        "pending_forecasts",
        _id("forecast_id"),
        _text("market", 16),
        _text("name", 64),
        _moment("target_time"),
        sa.PrimaryKeyConstraint("forecast_id", name=op.f("pk_pending_forecasts")),
        _to_forecasts("pending_forecasts"),
    )
    op.create_index(
        op.f("ix_pending_forecasts_market_name_target_time"),
        "pending_forecasts",
        ["market", "name", "target_time"],
    )


def _create_weekly_scores() -> None:
    market, name, _, horizon = _key()
    op.create_table(
        "weekly_scores",
        market,
        name,
        horizon,
        _moment("week"),
        _text("model", 32),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        _moment("first_cutoff"),
        _moment("last_cutoff"),
        sa.Column("loss", sa.Float(), nullable=False),
        sa.Column("baseline_loss", sa.Float(), nullable=False),
        sa.Column("volatility_n", sa.Integer(), nullable=False),
        sa.Column("volatility_loss", sa.Float(), nullable=False),
        sa.Column("loss_beside_volatility", sa.Float(), nullable=False),
        sa.Column("covered", sa.Integer(), nullable=False),
        sa.Column("calibration", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "market", "name", "horizon", "week", "model", "version", name=op.f("pk_weekly_scores")
        ),
    )


def _create_notes() -> None:
    op.create_table(
        "candle_notes",
        _id("id"),
        _text("market", 16),
        _text("series", 96),
        _moment("open_time"),
        _text("kind", 16),
        _text("detail", 255),
        _moment("noted_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candle_notes")),
        sa.UniqueConstraint(
            "market", "series", "open_time", "kind", "detail", name=op.f("uq_candle_notes_finding")
        ),
    )
    market, name, _, horizon = _key()
    op.create_table(
        "drift_verdicts",
        market,
        name,
        horizon,
        _moment("week"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("state", 8),
        _text("reason", 255),
        _moment("judged_at"),
        sa.PrimaryKeyConstraint("market", "name", "horizon", "week", name=op.f("pk_drift_verdicts")),
    )


def _forbid_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for change in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION journal_refuses_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses_change()"
        )


def _key() -> tuple[sa.Column[Any], ...]:
    horizon = sa.Column("horizon", sa.Integer(), nullable=False)
    return _text("market", 16), _text("name", 64), _moment("cutoff"), horizon


def _id(name: str) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, nullable=False, autoincrement=name == "id")


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _to_forecasts(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_forecast_id_forecasts")
    return sa.ForeignKeyConstraint(["forecast_id"], ["forecasts.id"], name=name)
