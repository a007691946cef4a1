"""Bytes on disk: blobs by their hash and who refers to them, room that is promised, uploads on their way in,
and files that wait for somebody's decision."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.extensions import db
from api.models.base import Identified, Owned, UTCDateTime, Versioned, utcnow


class Blob(db.Model):  # type: ignore[name-defined, misc]
    """One content, stored once: `integrations.blobs` has the bytes, every file of that content is a link.

    `git_sha1` is what git calls it, for small files whose source knows no SHA-256. `remote`: it is in the
    object storage too.
    """

    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    git_sha1: Mapped[str | None] = mapped_column(String(40), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    status: Mapped[str] = mapped_column(String(20), default="ok")  # ok | damaged | missing
    remote: Mapped[bool] = mapped_column(default=False)


class BlobRef(db.Model):  # type: ignore[name-defined, misc]
    """A version holds a content. Deleting the version deletes this; a blob without references is garbage."""

    __tablename__ = "blob_refs"

    version_id: Mapped[str] = mapped_column(
        ForeignKey("model_versions.id", ondelete="CASCADE"), primary_key=True
    )
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class Reservation(db.Model, Identified):  # type: ignore[name-defined, misc]
    """Room promised to work under way: `bytes` in all below `path`. What is there already counts as used."""

    __tablename__ = "reservations"

    holder: Mapped[str] = mapped_column(String(80), unique=True)  # job:<id> | upload:<id>
    purpose: Mapped[str] = mapped_column(String(20))  # download | upload | export | checkpoint
    path: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)


class Upload(db.Model, Versioned, Owned):  # type: ignore[name-defined, misc]
    """A model somebody sends piece by piece. `files` are `{path, size, sha256}`; how much of each is here is
    the length of what lies on disk. `status`: open | complete | cancelled."""

    __tablename__ = "uploads"

    name: Mapped[str] = mapped_column(String(300))
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    status: Mapped[str] = mapped_column(String(20), default="open")
    download_id: Mapped[str | None] = mapped_column(ForeignKey("downloads.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)


class QuarantinedFile(db.Model, Versioned):  # type: ignore[name-defined, misc]
    """A file that is kept away from every engine until an administrator decides (`status`: held | released |
    deleted). `findings` are `{scanner, severity, message}`."""

    __tablename__ = "quarantined_files"

    version_id: Mapped[str] = mapped_column(ForeignKey("model_versions.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    status: Mapped[str] = mapped_column(String(20), default="held")
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(500), default="")


class HubSetting(db.Model):  # type: ignore[name-defined, misc]
    """What is set while the hub runs, by name: `transfers`, … Each has a schema in `api.schemas`."""

    __tablename__ = "hub_settings"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)
    updated_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
