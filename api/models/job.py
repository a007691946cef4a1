"""The ledger: long work, one row each. Columns only; its verbs are `api.services.jobs`."""

import time
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.extensions import db
from api.models.base import UTCDateTime, Versioned


class Job(db.Model, Versioned):  # type: ignore[name-defined, misc]
    """`fence` grows with every claim; an older one is refused. `lease_until` is Unix seconds.

    Queued jobs run in the order of `priority` (highest first), then `rank` (lowest first; Unix seconds of
    their making unless somebody moved them). `waiting` says why a queued job is held back (`{code, message,
    details}`): a reason its kind's admission gave at the last look.
    """

    __tablename__ = "jobs"

    kind: Mapped[str] = mapped_column(String(50))
    state: Mapped[str] = mapped_column(String(20), default="queued")
    wanted: Mapped[str] = mapped_column(String(20), default="run")  # run | pause | cancel
    object_id: Mapped[str | None] = mapped_column(String(32))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    progress: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    attempt: Mapped[int] = mapped_column(default=0)
    lost: Mapped[int] = mapped_column(default=0)  # leases lost in a row without progress: the poison counter
    fence: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[float | None] = mapped_column(Float)
    rung_at: Mapped[float | None] = mapped_column(Float)
    priority: Mapped[int] = mapped_column(default=0)
    rank: Mapped[float] = mapped_column(Float, default=time.time)
    waiting: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        Index("ix_jobs_state_lease_until", "state", "lease_until"),
        Index("ix_jobs_object_id", "object_id"),
    )
