"""A set of weights this hub owns. (`api/models` holds tables; the table of weights is `HubModel`.)"""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.extensions import db
from api.models.base import Owned, Versioned


class HubModel(db.Model, Versioned, Owned):  # type: ignore[name-defined, misc]
    """`path` is the directory below the hub's `models` folder; `files` are `{path, size, sha256}`."""

    __tablename__ = "models"

    name: Mapped[str] = mapped_column(String(300), index=True)
    kind: Mapped[str] = mapped_column(String(20), default="base")
    source: Mapped[str] = mapped_column(String(50))
    ref: Mapped[str] = mapped_column(String(300))
    revision: Mapped[str] = mapped_column(String(200))
    commit: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    path: Mapped[str] = mapped_column(Text)
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    architecture: Mapped[str | None] = mapped_column(String(200))
    parameters: Mapped[int | None] = mapped_column(BigInteger)
    context_length: Mapped[int | None]
    dtype: Mapped[str | None] = mapped_column(String(50))
    quantization: Mapped[str | None] = mapped_column(String(50))
    license: Mapped[str | None] = mapped_column(String(100))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    warnings: Mapped[list[str]] = mapped_column(JSON, default=list)
    status: Mapped[str] = mapped_column(String(20), default="ready")
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"))

    __table_args__ = (Index("ix_models_source_ref", "source", "ref"),)
