"""A model on its way here. Its state and progress are its job's."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.extensions import db
from api.models.base import Identified, Owned
from api.models.job import Job


class Download(db.Model, Identified, Owned):  # type: ignore[name-defined, misc]
    """`update_of` is the model that gets its files as a new version; without it they are a new model.

    `visibility` and `team_id` are those its model gets; the download itself is its owner's affair.
    """

    __tablename__ = "downloads"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), unique=True)
    source: Mapped[str] = mapped_column(String(50))
    ref: Mapped[str] = mapped_column(String(300))
    revision: Mapped[str] = mapped_column(String(200))
    commit: Mapped[str] = mapped_column(String(64))
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    plan_key: Mapped[str] = mapped_column(Text)  # what makes two requests the same request
    model_id: Mapped[str | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"))
    update_of: Mapped[str | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # rate, connections, any_time

    job: Mapped[Job] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (Index("ix_downloads_source_ref", "source", "ref"),)
