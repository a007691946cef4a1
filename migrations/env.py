"""Alembic inside the application: the tables of `api.models` against the hub's database."""

from typing import Any

from alembic import context
from flask import current_app

from api.models.base import UTCDateTime

config = context.config
database = current_app.extensions["migrate"].db


def render_item(kind: str, item: Any, _autogen: Any) -> Any:
    """A migration is history: it names plain SQLAlchemy types, never today's classes."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


def run() -> None:
    options = {
        "compare_type": True,
        "transactional_ddl": True,
        "render_item": render_item,
        **current_app.extensions["migrate"].configure_args,
    }
    # SQLite can roll back DDL too, since our transactions begin explicitly (api/database.py).
    with database.engine.connect().execution_options(writes=True) as connection:
        # SQLite changes a table by making a new one and dropping the old, which would delete, by
        # ON DELETE CASCADE, everything that refers to it. PostgreSQL alters in place.
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            connection.connection.execute("PRAGMA foreign_keys=OFF")
        try:
            context.configure(connection=connection, target_metadata=database.metadata, **options)
            with context.begin_transaction():
                context.run_migrations()
                if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
                    raise RuntimeError(f"the migration would leave rows that refer to nothing: {broken[:3]}")
        finally:
            if sqlite:
                connection.connection.execute("PRAGMA foreign_keys=ON")


run()
