"""One database per home: a market has histories, a forecast its version and owner, joined files a list.

The keys of the journal change, and SQLite changes none: there every table is made anew beside the old one,
filled row by row with its number, and takes its name. Children come with their parent, so that no reference
is ever open and the foreign keys stay in force.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_QUANTILES = (
    "q025", "q050", "q100", "q200", "q250", "q400", "q500", "q600", "q750", "q800", "q900", "q950", "q975",
)  # fmt: skip
_SUMS = (
    "n", "first_cutoff", "last_cutoff", "loss", "baseline_loss", "volatility_n", "volatility_loss",
    "loss_beside_volatility", "covered", "calibration",
)  # fmt: skip
_APPEND_ONLY = ("forecasts", "outcomes", "candle_notes", "drift_verdicts")
_TABLES = ("forecasts", "outcomes", "pending_forecasts", "weekly_scores", "candle_notes", "drift_verdicts")
_CHILDREN = ("outcomes", "pending_forecasts")

Keys = Mapping[str, tuple[str, ...]]

_OLD_KEYS: Keys = {
    "forecasts": ("market", "name", "cutoff", "horizon", "forecaster"),
    "outcomes": ("forecast_id",),
    "weekly_scores": ("market", "name", "horizon", "week", "model", "version"),
    "candle_notes": ("market", "series", "open_time", "kind", "detail"),
    "drift_verdicts": ("market", "name", "horizon", "week"),
}
_NEW_KEYS: Keys = {
    "forecasts": (
        "market", "history", "name", "cutoff", "horizon", "question", "forecaster", "version"
    ),
    "outcomes": ("forecast_id",),
    "weekly_scores": ("market", "history", "name", "horizon", "week", "model", "version"),
    "candle_notes": ("market", "history", "series", "open_time", "kind", "detail"),
    "drift_verdicts": ("market", "history", "name", "horizon", "week"),
}  # fmt: skip
_UNIQUE = {"forecasts": "uq_forecasts_question", "candle_notes": "uq_candle_notes_finding"}
_OLD_INDEXES: Keys = {
    "forecasts": ("market", "cutoff", "id"),
    "pending_forecasts": ("market", "name", "target_time"),
}
_NEW_INDEXES: Keys = {
    "forecasts": ("market", "history", "cutoff", "id"),
    "pending_forecasts": ("market", "history", "name", "target_time"),
}

_DROPPED = (
    "SELECT 1 FROM histories AS h WHERE h.market = {of}.market AND h.number = {of}.history "
    "AND h.market <> 'live' AND h.dropped_at IS NOT NULL"
)
_DROPPED_WITH_ITS_FORECAST = (
    "SELECT 1 FROM forecasts AS f JOIN histories AS h ON h.market = f.market AND h.number = f.history "
    "WHERE f.id = {of}.forecast_id AND h.market <> 'live' AND h.dropped_at IS NOT NULL"
)


def upgrade() -> None:
    """Give the journal its histories; what is written becomes the first one of its market."""
    _create_histories()
    _create_joined_homes()
    (_rebuild if _is_sqlite() else _alter)()
    _forbid_changes()


def downgrade() -> None:
    """Keep of each market the history in use, without what only this version has a place for."""
    (_rebuild_old if _is_sqlite() else _alter_back)()
    op.drop_table("joined_homes")
    op.drop_table("histories")


# what is new


def _create_histories() -> None:
    table = op.create_table(
        "histories",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("market", 16),
        _integer("number"),
        _moment("began_at"),
        _moment("started_at"),
        _moment("dropped_at", nullable=True),
        sa.CheckConstraint("market <> 'live' OR dropped_at IS NULL", name=op.f("ck_histories_live_stays")),
        sa.CheckConstraint("market <> 'live' OR number = 1", name=op.f("ck_histories_live_is_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_histories")),
        sa.UniqueConstraint("market", "number", name=op.f("uq_histories_market")),
    )
    for row in _first_histories():
        op.get_bind().execute(table.insert(), row)


def _first_histories() -> list[dict[str, Any]]:
    # when they began on the wall nobody wrote down; their age is counted from now
    now = datetime.now(UTC)
    if _is_sqlite():
        now = now.replace(tzinfo=None)
    market, cutoff = sa.column("market", sa.String()), sa.column("cutoff", sa.DateTime(timezone=True))
    tables = map(sa.table, ("forecasts", "weekly_scores", "candle_notes", "drift_verdicts"))
    markets = op.get_bind().scalars(sa.union(*(sa.select(market).select_from(table) for table in tables)))
    first = sa.select(sa.func.min(cutoff)).select_from(sa.table("forecasts"))
    return [
        {
            "market": name,
            "number": 1,
            "began_at": op.get_bind().scalar(first.where(market == name)) or now,
            "started_at": now,
        }
        for name in markets.all()
    ]


def _create_joined_homes() -> None:
    op.create_table(
        "joined_homes",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("market", 16),
        _text("file", 255),
        _text("fingerprint", 64),
        _moment("joined_at"),
        _integer("users"),
        sa.Column("known_users", sa.Text(), nullable=False),
        _integer("tokens"),
        sa.Column("forecasts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joined_homes")),
        sa.UniqueConstraint("market", name=op.f("uq_joined_homes_market")),
    )


# SQLite


def _rebuild() -> None:
    for name, columns in _new_tables().items():
        op.create_table(_beside(name), *columns)
        _copy(name)
    _take_names(_NEW_INDEXES)


def _rebuild_old() -> None:
    for name, columns in _old_tables().items():
        op.create_table(_beside(name), *columns)
        _copy_back(name)
    _take_names(_OLD_INDEXES)
    _forbid_changes_as_before()


def _copy(name: str) -> None:
    taken = [f"{_value(name, column)} AS {column}" for column in _names(_new_tables()[name])]
    op.execute(f"INSERT INTO {_beside(name)} SELECT {', '.join(taken)} FROM {name}")  # noqa: S608


def _copy_back(name: str) -> None:
    columns = ", ".join(_names(_old_tables()[name]))
    values = columns
    if name == "forecasts":
        values = columns.replace("question", "nullif(question, '')").replace("version", "nullif(version, 0)")
    op.execute(
        f"INSERT INTO {_beside(name)} ({columns}) SELECT {values} "  # noqa: S608
        f"FROM {name} WHERE {_fits_the_older(name)}"
    )


def _take_names(indexes: Keys) -> None:
    # children first: a table that is dropped takes rows with it that nothing may refer to any more
    for name in (*_CHILDREN, *(table for table in _TABLES if table not in _CHILDREN)):
        op.drop_table(name)
    for name in _TABLES:
        op.rename_table(_beside(name), name)
    for name, columns in indexes.items():
        op.create_index(op.f(_index_name(name, columns)), name, list(columns))


def _value(table: str, column: str) -> str:
    fixed = {"history": "1", "owner": "NULL", "counted": "1"}
    if column in fixed:
        return fixed[column]
    if table == "forecasts" and column in ("question", "version"):
        return f"coalesce({column}, {_EMPTY[column]})"
    return column


_EMPTY = {"question": "''", "version": "0"}


def _beside(name: str) -> str:
    return f"{name}_beside"


# PostgreSQL


def _alter() -> None:
    for name in _APPEND_ONLY:
        op.execute(f"DROP TRIGGER {name}_append_only ON {name}")
    for name in _TABLES:
        if name != "outcomes":
            _add(name, "history INTEGER NOT NULL DEFAULT 1")
    _add("forecasts", "counted BOOLEAN NOT NULL DEFAULT true")
    for name in ("forecasts", "weekly_scores"):
        op.execute(f"ALTER TABLE {name} ADD COLUMN owner INTEGER")
    op.create_foreign_key(op.f("fk_forecasts_owner_users"), "forecasts", "users", ["owner"], ["id"])
    op.create_foreign_key(op.f("fk_weekly_scores_owner_users"), "weekly_scores", "users", ["owner"], ["id"])
    _move_keys(_OLD_INDEXES, _NEW_INDEXES, _NEW_KEYS, before=_fill_key)
    for name in ("weekly_scores", "pending_forecasts", "drift_verdicts"):
        op.execute(f"ALTER TABLE {name} ALTER name TYPE VARCHAR(96)")


def _add(table: str, column: str) -> None:
    # the default fills what is there without writing a row, and then goes: a writer has to say it
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    op.execute(f"ALTER TABLE {table} ALTER {column.split(maxsplit=1)[0]} DROP DEFAULT")


def _fill_key() -> None:
    # one pass over the table, and no trigger hears of it
    op.execute(
        "ALTER TABLE forecasts ALTER name TYPE VARCHAR(96), "
        "ALTER question TYPE VARCHAR(128) USING coalesce(question, ''), ALTER question SET NOT NULL, "
        "ALTER version TYPE INTEGER USING coalesce(version, 0), ALTER version SET NOT NULL"
    )


def _alter_back() -> None:
    for name in _APPEND_ONLY:
        op.execute(f"DROP TRIGGER {name}_stays ON {name}")
        op.execute(f"DROP TRIGGER {name}_append_only ON {name}")
    op.execute("DROP TRIGGER histories_stay ON histories")
    for function in ("journal_keeps_row", "journal_keeps_outcome", "histories_refuse_change"):
        op.execute(f"DROP FUNCTION {function}()")
    for name in (*_CHILDREN, *(table for table in _TABLES if table not in _CHILDREN)):
        op.execute(f"DELETE FROM {name} WHERE NOT ({_fits_the_older(name)})")  # noqa: S608
    _move_keys(_NEW_INDEXES, _OLD_INDEXES, _OLD_KEYS, before=_empty_key)
    for name in _TABLES:
        if name != "outcomes":
            op.drop_column(name, "history")
    for name in ("weekly_scores", "pending_forecasts", "drift_verdicts"):
        op.execute(f"ALTER TABLE {name} ALTER name TYPE VARCHAR(64)")
    op.drop_column("forecasts", "counted")
    for name in ("forecasts", "weekly_scores"):
        op.drop_column(name, "owner")
    for name in _APPEND_ONLY:
        _forbid_statements(name, "UPDATE OR DELETE OR TRUNCATE")


def _empty_key() -> None:
    op.execute("ALTER TABLE forecasts ALTER question DROP NOT NULL, ALTER version DROP NOT NULL")
    op.execute(
        "ALTER TABLE forecasts ALTER name TYPE VARCHAR(64), "
        "ALTER question TYPE VARCHAR(64) USING nullif(question, ''), "
        "ALTER version TYPE INTEGER USING nullif(version, 0)"
    )


def _move_keys(
    old_indexes: Keys,
    new_indexes: Keys,
    keys: Keys,
    before: Callable[[], None],
) -> None:
    for name, columns in old_indexes.items():
        op.drop_index(op.f(_index_name(name, columns)), name)
    for name, constraint in _UNIQUE.items():
        op.drop_constraint(op.f(constraint), name)
    before()
    for name, constraint in _UNIQUE.items():
        op.create_unique_constraint(op.f(constraint), name, list(keys[name]))
    for name in ("weekly_scores", "drift_verdicts"):
        op.drop_constraint(op.f(f"pk_{name}"), name)
        op.create_primary_key(op.f(f"pk_{name}"), name, list(keys[name]))
    for name, columns in new_indexes.items():
        op.create_index(op.f(_index_name(name, columns)), name, list(columns))


# what stays written


def _forbid_changes() -> None:
    for name in _APPEND_ONLY:
        question = _DROPPED_WITH_ITS_FORECAST if name == "outcomes" else _DROPPED
        if _is_sqlite():
            _forbid_on_sqlite(name, "UPDATE", "")
            _forbid_on_sqlite(name, "DELETE", f"WHEN NOT EXISTS ({question.format(of='OLD')})")
        else:
            _forbid_statements(name, "UPDATE OR TRUNCATE")
    if _is_sqlite():
        _forbid_replacing(_NEW_KEYS)
        _keep_histories_on_sqlite()
    else:
        _keep_rows_on_postgresql()


def _forbid_changes_as_before() -> None:
    for name in _APPEND_ONLY:
        _forbid_on_sqlite(name, "UPDATE", "")
        _forbid_on_sqlite(name, "DELETE", "")
    _forbid_replacing(_OLD_KEYS)


def _forbid_on_sqlite(table: str, change: str, when: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _forbid_replacing(keys: Keys) -> None:
    # silent for a key, because a trigger cannot tell a replacement from an insert that leaves what is there
    for table in _APPEND_ONLY:
        same_key = " AND ".join(f"{column} = NEW.{column}" for column in keys[table])
        _forbid_insert(table, "key", same_key, "IGNORE")
        if table != "outcomes":
            # no code of ours names a row number; it is -1 here where none was given
            same_number = "rowid = NEW.rowid AND NEW.rowid >= 0"
            _forbid_insert(table, "number", same_number, f"ABORT, '{table} is append-only'")


def _forbid_insert(table: str, what: str, same: str, answer: str) -> None:
    there = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608
    op.execute(
        f"CREATE TRIGGER {table}_no_replace_by_{what} BEFORE INSERT ON {table} WHEN {there} "
        f"BEGIN SELECT RAISE({answer}); END"
    )


_DROPS_ONLY = (
    "OLD.dropped_at IS NULL AND NEW.dropped_at IS NOT NULL AND NEW.id = OLD.id AND NEW.market = OLD.market "
    "AND NEW.number = OLD.number AND NEW.began_at = OLD.began_at AND NEW.started_at = OLD.started_at"
)


def _keep_histories_on_sqlite() -> None:
    for change, when in (("UPDATE", f"WHEN NOT ({_DROPS_ONLY})"), ("DELETE", "")):
        _forbid_on_sqlite("histories", change, when)
    _forbid_insert("histories", "key", "market = NEW.market AND number = NEW.number", "IGNORE")
    same_number = "rowid = NEW.rowid AND NEW.rowid >= 0"
    _forbid_insert("histories", "number", same_number, "ABORT, 'histories is append-only'")


def _keep_rows_on_postgresql() -> None:
    for function, question in (
        ("journal_keeps_row", _DROPPED),
        ("journal_keeps_outcome", _DROPPED_WITH_ITS_FORECAST),
    ):
        _create_function(
            function,
            f"IF EXISTS ({question.format(of='OLD')}) THEN RETURN OLD; END IF; "
            "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;",
        )
    for name in _APPEND_ONLY:
        function = "journal_keeps_outcome" if name == "outcomes" else "journal_keeps_row"
        op.execute(
            f"CREATE TRIGGER {name}_stays BEFORE DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    _create_function(
        "histories_refuse_change",
        f"IF TG_OP = 'UPDATE' THEN IF {_DROPS_ONLY} THEN RETURN NEW; END IF; END IF; "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;",
    )
    op.execute(
        "CREATE TRIGGER histories_stay BEFORE UPDATE OR DELETE ON histories "
        "FOR EACH ROW EXECUTE FUNCTION histories_refuse_change()"
    )


def _create_function(name: str, body: str) -> None:
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")


def _forbid_statements(table: str, changes: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE {changes} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses_change()"
    )


# what an older version has a place for


def _fits_the_older(table: str) -> str:
    if table in _CHILDREN:
        fitting = f"SELECT id FROM forecasts WHERE {_fits_the_older('forecasts')}"  # noqa: S608
        if _is_sqlite():
            fitting = f"SELECT id FROM {_beside('forecasts')}"  # noqa: S608
        return f"forecast_id IN ({fitting})"
    newest = (
        f"SELECT max(number) FROM histories AS h "  # noqa: S608
        f"WHERE h.market = {table}.market AND h.dropped_at IS NULL"
    )
    fits = [f"history = coalesce(({newest}), 1)"]
    if table != "candle_notes":
        fits.append("length(name) <= 64")
    if table in ("forecasts", "weekly_scores"):
        fits.append("owner IS NULL")
    if table == "forecasts":
        fits.append("counted AND length(question) <= 64")
        # it had room for one question: the first
        fits.append(_is_first_question())
    return " AND ".join(fits)


def _is_first_question() -> str:
    same = " AND ".join(
        f"e.{column} = forecasts.{column}"
        for column in ("market", "history", "name", "cutoff", "horizon", "forecaster")
    )
    return f"NOT EXISTS (SELECT 1 FROM forecasts AS e WHERE {same} AND e.counted AND +e.id < forecasts.id)"  # noqa: S608


# the tables, as SQLite has them made


def _new_tables() -> dict[str, tuple[Any, ...]]:
    key = (_text("market", 16), _integer("history"), _text("name", 96))
    return {
        "forecasts": (
            _id("id"),
            *key,
            _moment("cutoff"),
            _integer("horizon"),
            _text("question", 128),
            _text("forecaster", 16),
            _integer("version"),
            sa.Column("owner", sa.Integer(), nullable=True),
            sa.Column("counted", sa.Boolean(), nullable=False),
            *_said(),
            _to_users("forecasts"),
            *_constraints("forecasts", _NEW_KEYS),
        ),
        "outcomes": _outcomes(),
        "pending_forecasts": (*key, *_pending()),
        "weekly_scores": (
            *key,
            *_week(),
            sa.Column("owner", sa.Integer(), nullable=True),
            *_sums(),
            _to_users("weekly_scores"),
            _primary_key("weekly_scores", _NEW_KEYS),
        ),
        "candle_notes": (_id("id"), *key[:2], *_note(), *_constraints("candle_notes", _NEW_KEYS)),
        "drift_verdicts": (*key, *_verdict(), _primary_key("drift_verdicts", _NEW_KEYS)),
    }  # fmt: skip


def _old_tables() -> dict[str, tuple[Any, ...]]:
    key = (_text("market", 16), _text("name", 64))
    return {
        "forecasts": (
            _id("id"),
            *key,
            _moment("cutoff"),
            _integer("horizon"),
            _text("forecaster", 16),
            sa.Column("version", sa.Integer(), nullable=True),
            sa.Column("question", sa.String(64), nullable=True),
            *_said(),
            *_constraints("forecasts", _OLD_KEYS),
        ),
        "outcomes": _outcomes(),
        "pending_forecasts": (*key, *_pending()),
        "weekly_scores": (*key, *_week(), *_sums(), _primary_key("weekly_scores", _OLD_KEYS)),
        "candle_notes": (_id("id"), key[0], *_note(), *_constraints("candle_notes", _OLD_KEYS)),
        "drift_verdicts": (*key, *_verdict(), _primary_key("drift_verdicts", _OLD_KEYS)),
    }  # fmt: skip


def _said() -> tuple[Any, ...]:
    return (
        _moment("target_time"),
        _text("model", 32),
        _float("last_close"),
        *(sa.Column(name, sa.Float(), nullable=True) for name in (*_QUANTILES, "probability")),
        *(sa.Column(name, sa.String(255), nullable=True) for name in ("missing", "remark")),
        _text("input_hash", 64),
        _moment("recorded_at"),
        sa.CheckConstraint("recorded_at < target_time", name=op.f("ck_forecasts_before_target")),
    )


def _outcomes() -> tuple[Any, ...]:
    return (
        _id("forecast_id"),
        *map(_float, ("actual", "error", "loss")),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("below", "interval")),
        _moment("scored_at"),
        *_to_forecasts("outcomes"),
    )


def _pending() -> tuple[Any, ...]:
    return _id("forecast_id"), _moment("target_time"), *_to_forecasts("pending_forecasts")


def _week() -> tuple[Any, ...]:
    return _integer("horizon"), _moment("week"), _text("model", 32), _integer("version")


def _sums() -> tuple[Any, ...]:
    kinds: dict[str, Any] = dict.fromkeys(_SUMS, _float)
    kinds |= dict.fromkeys(("n", "volatility_n", "covered"), _integer)
    kinds |= dict.fromkeys(("first_cutoff", "last_cutoff"), _moment)
    kinds["calibration"] = lambda name: sa.Column(name, sa.Text(), nullable=False)
    return tuple(kinds[name](name) for name in _SUMS)


def _note() -> tuple[Any, ...]:
    return (
        _text("series", 96), _moment("open_time"), _text("kind", 16), _text("detail", 255),
        _moment("noted_at"),
    )  # fmt: skip


def _verdict() -> tuple[Any, ...]:
    return (
        _integer("horizon"), _moment("week"), _integer("version"),
        _text("state", 8), _text("reason", 255), _moment("judged_at"),
    )  # fmt: skip


def _constraints(table: str, keys: Keys) -> tuple[Any, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(*keys[table], name=op.f(_UNIQUE[table])),
    )


def _primary_key(table: str, keys: Keys) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*keys[table], name=op.f(f"pk_{table}"))


def _to_users(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["owner"], ["users.id"], name=op.f(f"fk_{table}_owner_users"))


def _to_forecasts(table: str) -> tuple[Any, ...]:
    name = op.f(f"fk_{table}_forecast_id_forecasts")
    return (
        sa.PrimaryKeyConstraint("forecast_id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["forecast_id"], [f"{_beside('forecasts')}.id"], name=name),
    )


def _names(parts: tuple[Any, ...]) -> list[str]:
    return [part.name for part in parts if isinstance(part, sa.Column)]


def _index_name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def _id(name: str) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, nullable=False, autoincrement=name == "id")


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _float(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _is_sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")
