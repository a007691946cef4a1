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
        context.configure(connection=connection, target_metadata=database.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
