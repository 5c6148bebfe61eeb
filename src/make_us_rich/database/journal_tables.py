"""The tables of the journal: what was forecast, what came of it, and what was noticed on the way.

`forecasts`, `outcomes`, `candle_notes` and `drift_verdicts` are append-only, and a trigger on either database
holds that. `pending_forecasts` and `weekly_scores` hold nothing that does not follow from the first two.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from make_us_rich.database.base import Base, UtcDateTime

QUANTILE_COLUMNS = (
    "q025", "q050", "q100", "q200", "q250", "q400", "q500", "q600", "q750", "q800", "q900", "q950", "q975",
)  # fmt: skip
"""One column per quantile level: a third smaller on the disk than JSON, and twice as fast to read."""

APPEND_ONLY = ("forecasts", "outcomes", "candle_notes", "drift_verdicts")

_Id = BigInteger().with_variant(Integer(), "sqlite")

forecasts = Table(
    "forecasts",
    Base.metadata,
    Column("id", _Id, primary_key=True),
    Column("market", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("cutoff", UtcDateTime(), nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("forecaster", String(16), nullable=False),  # served, or the yardstick beside it
    Column("target_time", UtcDateTime(), nullable=False),
    Column("model", String(32), nullable=False),  # who spoke: lstm, blend, persistence …
    Column("version", Integer),
    Column("last_close", Float, nullable=False),
    Column("question", String(64)),  # the event a probability is of
    *(Column(name, Float) for name in QUANTILE_COLUMNS),
    Column("probability", Float),
    Column("missing", String(255)),  # why there is no forecast, where there is none
    Column("remark", String(255)),  # why a baseline was served where a model had earned the horizon
    Column("input_hash", String(64), nullable=False),
    Column("recorded_at", UtcDateTime(), nullable=False),
    UniqueConstraint("market", "name", "cutoff", "horizon", "forecaster", name="uq_forecasts_question"),
    CheckConstraint("recorded_at < target_time", name="before_target"),
    Index("ix_forecasts_market_cutoff_id", "market", "cutoff", "id"),
)

outcomes = Table(
    "outcomes",
    Base.metadata,
    Column("forecast_id", _Id, ForeignKey("forecasts.id"), primary_key=True, autoincrement=False),
    Column("actual", Float, nullable=False),  # the close; 1 or 0 where a trend came or not
    Column("error", Float, nullable=False),  # close - median, in prices; label - probability
    Column("loss", Float, nullable=False),  # quantile loss of the log return; Brier score
    Column("below", Integer),  # how many of the 13 quantiles lie below the close
    Column("interval", Integer),  # narrowest central interval that held it, in percent; 100: none did
    Column("scored_at", UtcDateTime(), nullable=False),
)

pending_forecasts = Table(
    "pending_forecasts",
    Base.metadata,
    Column("forecast_id", _Id, ForeignKey("forecasts.id"), primary_key=True, autoincrement=False),
    Column("market", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("target_time", UtcDateTime(), nullable=False),
    Index("ix_pending_forecasts_market_name_target_time", "market", "name", "target_time"),
)

weekly_scores = Table(
    "weekly_scores",
    Base.metadata,
    Column("market", String(16), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("horizon", Integer, primary_key=True, autoincrement=False),
    Column("week", UtcDateTime(), primary_key=True),  # the Monday before the cutoffs
    Column("model", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # 0: no model on the shelf
    Column("n", Integer, nullable=False),
    Column("first_cutoff", UtcDateTime(), nullable=False),
    Column("last_cutoff", UtcDateTime(), nullable=False),
    Column("loss", Float, nullable=False),
    Column("baseline_loss", Float, nullable=False),
    Column("volatility_n", Integer, nullable=False),  # how many of the n had `volatility` beside them
    Column("volatility_loss", Float, nullable=False),
    Column("loss_beside_volatility", Float, nullable=False),
    Column("covered", Integer, nullable=False),
    Column("calibration", Text, nullable=False),  # JSON, see journal.weekly
)

candle_notes = Table(
    "candle_notes",
    Base.metadata,
    Column("id", _Id, primary_key=True),
    Column("market", String(16), nullable=False),
    Column("series", String(96), nullable=False),
    Column("open_time", UtcDateTime(), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("detail", String(255), nullable=False),
    Column("noted_at", UtcDateTime(), nullable=False),
    UniqueConstraint("market", "series", "open_time", "kind", "detail", name="uq_candle_notes_finding"),
)

drift_verdicts = Table(
    "drift_verdicts",
    Base.metadata,
    Column("market", String(16), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("horizon", Integer, primary_key=True, autoincrement=False),
    Column("week", UtcDateTime(), primary_key=True),  # the Monday on which the last judged week ended
    Column("version", Integer, nullable=False),  # in service when it was judged
    Column("state", String(8), nullable=False),
    Column("reason", String(255), nullable=False),
    Column("judged_at", UtcDateTime(), nullable=False),
)
