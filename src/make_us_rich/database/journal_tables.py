"""The tables of the journal: what was forecast, what came of it, and what was noticed on the way.

`forecasts`, `outcomes`, `candle_notes` and `drift_verdicts` are append-only, and a trigger on either database
holds that; only rows of a history that is marked as dropped, and is not live, may be deleted.
`pending_forecasts` and `weekly_scores` hold nothing that does not follow from the first two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
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

from make_us_rich.database.base import Base, EmptyAsNone, UtcDateTime, ZeroAsNone

QUANTILE_COLUMNS = (
    "q025", "q050", "q100", "q200", "q250", "q400", "q500", "q600", "q750", "q800", "q900", "q950", "q975",
)  # fmt: skip
"""One column per quantile level: a third smaller on the disk than JSON, and twice as fast to read."""

APPEND_ONLY = ("forecasts", "outcomes", "candle_notes", "drift_verdicts")

_Id = BigInteger().with_variant(Integer(), "sqlite")

histories = Table(
    "histories",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("market", String(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("began_at", UtcDateTime(), nullable=False),  # in the time of the market
    Column("started_at", UtcDateTime(), nullable=False),  # on the wall
    Column("dropped_at", UtcDateTime()),
    UniqueConstraint("market", "number", name="uq_histories_market"),
    CheckConstraint("market <> 'live' OR dropped_at IS NULL", name="live_stays"),
    CheckConstraint("market <> 'live' OR number = 1", name="live_is_one"),
)

forecasts = Table(
    "forecasts",
    Base.metadata,
    Column("id", _Id, primary_key=True),
    Column("market", String(16), nullable=False),
    Column("history", Integer, nullable=False),
    Column("name", String(96), nullable=False),
    Column("cutoff", UtcDateTime(), nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("question", EmptyAsNone(128), nullable=False),  # the event a probability is of
    Column("forecaster", String(16), nullable=False),  # served, or the yardstick beside it
    Column("version", ZeroAsNone(), nullable=False),
    Column("owner", Integer, ForeignKey("users.id")),  # whose private forecast it is; None: public
    Column("counted", Boolean, nullable=False),  # whether no other version had spoken before
    Column("target_time", UtcDateTime(), nullable=False),
    Column("model", String(32), nullable=False),  # who spoke: lstm, blend, persistence …
    Column("last_close", Float, nullable=False),
    *(Column(name, Float) for name in QUANTILE_COLUMNS),
    Column("probability", Float),
    Column("missing", String(255)),  # why there is no forecast, where there is none
    Column("remark", String(255)),  # why a baseline was served where a model had earned the horizon
    Column("input_hash", String(64), nullable=False),
    Column("recorded_at", UtcDateTime(), nullable=False),
    UniqueConstraint(
        "market",
        "history",
        "name",
        "cutoff",
        "horizon",
        "question",
        "forecaster",
        "version",
        name="uq_forecasts_question",
    ),
    CheckConstraint("recorded_at < target_time", name="before_target"),
    Index("ix_forecasts_market_history_cutoff_id", "market", "history", "cutoff", "id"),
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
    Column("history", Integer, nullable=False),
    Column("name", String(96), nullable=False),
    Column("target_time", UtcDateTime(), nullable=False),
    Index("ix_pending_forecasts_market_history_name_target_time", "market", "history", "name", "target_time"),
)

weekly_scores = Table(
    "weekly_scores",
    Base.metadata,
    Column("market", String(16), primary_key=True),
    Column("history", Integer, primary_key=True, autoincrement=False),
    Column("name", String(96), primary_key=True),
    Column("horizon", Integer, primary_key=True, autoincrement=False),
    Column("week", UtcDateTime(), primary_key=True),  # the Monday before the cutoffs
    Column("model", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # 0: no model on the shelf
    Column("owner", Integer, ForeignKey("users.id")),
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
    Column("history", Integer, nullable=False),
    Column("series", String(96), nullable=False),
    Column("open_time", UtcDateTime(), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("detail", String(255), nullable=False),
    Column("noted_at", UtcDateTime(), nullable=False),
    UniqueConstraint(
        "market", "history", "series", "open_time", "kind", "detail", name="uq_candle_notes_finding"
    ),
)

drift_verdicts = Table(
    "drift_verdicts",
    Base.metadata,
    Column("market", String(16), primary_key=True),
    Column("history", Integer, primary_key=True, autoincrement=False),
    Column("name", String(96), primary_key=True),
    Column("horizon", Integer, primary_key=True, autoincrement=False),
    Column("week", UtcDateTime(), primary_key=True),  # the Monday on which the last judged week ended
    Column("version", Integer, nullable=False),  # in service when it was judged
    Column("state", String(8), nullable=False),
    Column("reason", String(255), nullable=False),
    Column("judged_at", UtcDateTime(), nullable=False),
)
