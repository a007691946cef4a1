"""A set of weights this hub owns. (`api/models` holds tables; the table of weights is `HubModel`.)

A model is what people name, share and deploy; a `ModelVersion` is one set of proven files of it. The model
repeats the columns of its active version (`Described`), so that lists and deployments read one row.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from api.extensions import db
from api.models.base import Identified, Owned, UTCDateTime, Versioned


class Described:
    """What is known of one set of files. `files` are `{path, size, sha256}`, read when asked for.

    `path` is the directory below the hub's `models` folder; an absolute one when the files were adopted where
    they lie (`location` external); empty when another server keeps them (`location` ollama).
    `offloaded`: its large files lie in the object storage alone.
    """

    kind: Mapped[str] = mapped_column(String(20), default="base")
    revision: Mapped[str] = mapped_column(String(200))
    commit: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    path: Mapped[str] = mapped_column(Text)
    location: Mapped[str] = mapped_column(String(20), default="local")  # local | external | ollama
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, deferred=True)
    architecture: Mapped[str | None] = mapped_column(String(200))
    parameters: Mapped[int | None] = mapped_column(BigInteger)
    context_length: Mapped[int | None]
    dtype: Mapped[str | None] = mapped_column(String(50))
    quantization: Mapped[str | None] = mapped_column(String(50))
    license: Mapped[str | None] = mapped_column(String(100))
    warnings: Mapped[list[str]] = mapped_column(JSON, default=list)
    remote_code: Mapped[list[str]] = mapped_column(JSON, default=list)  # what it would run if it were let
    offloaded: Mapped[bool] = mapped_column(default=False)


FACTS = (
    "kind", "revision", "commit", "size", "path", "location", "files", "architecture", "parameters",
    "context_length", "dtype", "quantization", "license", "warnings", "remote_code", "offloaded",
)  # fmt: skip
"""The columns of `Described`: what a model takes over from the version that is made active."""


FILTERS = (
    "words", "kind", "source", "status", "visibility", "user_id", "team_id", "quantization", "outdated",
)  # fmt: skip
"""What lists are filtered by, tags aside."""

MAX_TAG = 200
MAX_WORDS = 400
"""Characters of `HubModel.words`: an index holds them, and PostgreSQL's take less than 2,704 bytes."""


class HubModel(db.Model, Described, Versioned, Owned):  # type: ignore[name-defined, misc]
    """`newer` is what the last look at its source found (`schemas.models.NewerOut`), `outdated` that it found
    something. `words` are what a search looks through: name, ref and tags in small letters.

    A list is a walk along one of the `ix_models_by_…` indexes, which hold all that lists are filtered by: no
    row is read, with its long `files`, that is not shown.
    """

    __tablename__ = "models"

    name: Mapped[str] = mapped_column(String(300), index=True)
    description: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(50))
    ref: Mapped[str] = mapped_column(String(300))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    words: Mapped[str] = mapped_column(String(MAX_WORDS), default="")
    file_count: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(20), default="ready")  # ready | quarantined | damaged
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"), index=True)
    active_version_id: Mapped[str | None] = mapped_column(String(32))
    newer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    outdated: Mapped[bool] = mapped_column(default=False)
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    labels: Mapped[list["ModelTag"]] = relationship(cascade="all, delete-orphan", passive_deletes=True)

    __table_args__ = (
        Index("ix_models_source_ref", "source", "ref"),
        Index("ix_models_source_checked_at", "source", "checked_at"),
        Index("ix_models_by_id", "id", *FILTERS),
        Index("ix_models_by_name", "words", "id", *(name for name in FILTERS if name != "words")),
        Index("ix_models_by_size", "size", "id", *FILTERS),
    )

    @validates("name", "ref", "tags")
    def _found_by(self, column: str, value: Any) -> Any:
        parts = {name: getattr(self, name, None) for name in ("name", "ref", "tags")} | {column: value}
        texts = [parts["name"] or "", parts["ref"] or "", *(parts["tags"] or [])]
        self.words = "\n".join(dict.fromkeys(texts)).lower()[:MAX_WORDS]
        if column == "tags":
            kept = {label.tag: label for label in self.labels}
            wanted = dict.fromkeys(str(tag)[:MAX_TAG] for tag in value or [])
            self.labels = [kept.get(tag) or ModelTag(tag=tag) for tag in wanted]
        return value


class ModelTag(db.Model):  # type: ignore[name-defined, misc]
    """`HubModel.tags` once more, where a list can be filtered by them."""

    __tablename__ = "model_tags"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(MAX_TAG), primary_key=True)

    __table_args__ = (Index("ix_model_tags_tag_model_id", "tag", "model_id"),)


class ModelVersion(db.Model, Described, Identified):  # type: ignore[name-defined, misc]
    """One set of files of a model, as it was brought in. Never changes, except that it may go.

    `picked` is what of the source's files was wanted (`{include, exclude, options}`): an update takes
    the same.
    """

    __tablename__ = "model_versions"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), index=True)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    picked: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
