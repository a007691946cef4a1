"""Long work as the ledger keeps it."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import ErrorInfo, Out, PageQuery, Timestamp

JobState = Literal["queued", "running", "paused", "completed", "failed", "cancelled"]


class JobQuery(PageQuery):
    state: JobState | None = None
    kind: str | None = Field(default=None, max_length=50)


class JobOut(Out):
    id: str
    kind: str
    state: JobState
    attempt: int
    user_id: str | None = Field(default=None, description="Whose work it is; null for the hub's own.")
    object_id: str | None = Field(default=None, description="The download, deployment, … this job works for.")
    progress: dict[str, Any] = {}
    priority: int = Field(default=0, description="Higher runs first.")
    waiting: ErrorInfo | None = Field(default=None, description="Why it is held in the queue.")
    error: ErrorInfo | None = None
    created_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    version: int
