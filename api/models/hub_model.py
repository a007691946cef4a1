"""A set of weights this hub owns. (`api/models` holds tables; the table of weights is `HubModel`.)

A model is what people name, share and deploy; a `ModelVersion` is one set of proven files of it. The model
repeats the columns of its active version (`Described`), so that lists and deployments read one row.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.extensions import db
from api.models.base import Identified, Owned, UTCDateTime, Versioned


class Described:
    """What is known of one set of files. `files` are `{path, size, sha256}`.

    `path` is the directory below the hub's `models` folder; an absolute one when the files were adopted where
    they lie (`location` external); empty when another server keeps them (`location` ollama).
    """

    kind: Mapped[str] = mapped_column(String(20), default="base")
    revision: Mapped[str] = mapped_column(String(200))
    commit: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    path: Mapped[str] = mapped_column(Text)
    location: Mapped[str] = mapped_column(String(20), default="local")  # local | external | ollama
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    architecture: Mapped[str | None] = mapped_column(String(200))
    parameters: Mapped[int | None] = mapped_column(BigInteger)
    context_length: Mapped[int | None]
    dtype: Mapped[str | None] = mapped_column(String(50))
    quantization: Mapped[str | None] = mapped_column(String(50))
    license: Mapped[str | None] = mapped_column(String(100))
    warnings: Mapped[list[str]] = mapped_column(JSON, default=list)
    remote_code: Mapped[list[str]] = mapped_column(JSON, default=list)  # what it would run if it were let


FACTS = (
    "kind", "revision", "commit", "size", "path", "location", "files", "architecture", "parameters",
    "context_length", "dtype", "quantization", "license", "warnings", "remote_code",
)  # fmt: skip
"""The columns of `Described`: what a model takes over from the version that is made active."""


class HubModel(db.Model, Described, Versioned, Owned):  # type: ignore[name-defined, misc]
    """`newer` is what the last look at its source found: `{commit, revision, checked_at, changed…}`."""

    __tablename__ = "models"

    name: Mapped[str] = mapped_column(String(300), index=True)
    description: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(50))
    ref: Mapped[str] = mapped_column(String(300))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    status: Mapped[str] = mapped_column(String(20), default="ready")  # ready | quarantined | damaged
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"))
    active_version_id: Mapped[str | None] = mapped_column(String(32))
    newer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (Index("ix_models_source_ref", "source", "ref"),)


class ModelVersion(db.Model, Described, Identified):  # type: ignore[name-defined, misc]
    """One set of files of a model, as it was brought in. Never changes, except that it may go."""

    __tablename__ = "model_versions"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), index=True)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
