"""What Alembic runs a migration in: the connection it is handed, whose transaction is not ours to end."""

from alembic import context

from make_us_rich.database import journal_tables, tables  # noqa: F401 - importing them declares the tables
from make_us_rich.database.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
