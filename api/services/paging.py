"""Keyset pages, newest first: ids sort by time, so `after` is simply the last id seen."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Select

from api.extensions import db
from api.schemas.base import Page

T = TypeVar("T", bound=BaseModel)


def page(
    statement: Select[Any], id_column: Any, *, limit: int, after: str | None, shape: Callable[[Any], T]
) -> Page[T]:
    """Cut one page out of `statement`, newest first."""
    if after:
        statement = statement.where(id_column < after)
    rows = db.session.scalars(statement.order_by(id_column.desc()).limit(limit + 1)).unique().all()
    items = [shape(row) for row in rows[:limit]]
    following = rows[limit - 1].id if len(rows) > limit else None
    return Page(items=items, next=following)
