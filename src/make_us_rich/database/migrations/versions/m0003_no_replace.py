"""What is written is not replaced either: on SQLite `INSERT OR REPLACE` deletes without any DELETE trigger.

On PostgreSQL the triggers on UPDATE, DELETE and TRUNCATE cover every way there is.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEYS = {
    "forecasts": ("market", "name", "cutoff", "horizon", "forecaster"),
    "outcomes": ("forecast_id",),
    "candle_notes": ("market", "series", "open_time", "kind", "detail"),
    "drift_verdicts": ("market", "name", "horizon", "week"),
}


def upgrade() -> None:
    """Make the triggers that keep a row from being replaced."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, key in _KEYS.items():
        # silent, because a trigger cannot tell a replacement from an insert that leaves what is there
        same_key = " AND ".join(f"{column} = NEW.{column}" for column in key)
        op.execute(_trigger(table, "key", same_key, "IGNORE"))
        if key != ("forecast_id",):
            # no code of ours names a row number; it is -1 here where none was given
            same_number = "rowid = NEW.rowid AND NEW.rowid >= 0"
            op.execute(_trigger(table, "number", same_number, f"ABORT, '{table} is append-only'"))


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in _KEYS:
        for what in ("key", "number"):
            op.execute(f"DROP TRIGGER IF EXISTS {_name(table, what)}")


def _trigger(table: str, what: str, same: str, answer: str) -> str:
    there = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - nothing of it comes from outside
    name = _name(table, what)
    return f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {there} BEGIN SELECT RAISE({answer}); END"


def _name(table: str, what: str) -> str:
    return f"{table}_no_replace_by_{what}"
