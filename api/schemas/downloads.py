"""Bringing a model home."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from api.schemas.base import Body, ErrorInfo, Out, OwnedOut, PageQuery, Timestamp, Visibility
from api.schemas.settings import Rate

DownloadStatus = Literal["pending", "held", "downloading", "paused", "completed", "failed", "cancelled"]


class DownloadRequest(Body):
    source: str = Field(default="huggingface", max_length=50)
    ref: str = Field(min_length=1, max_length=20_000, examples=["org/name"])
    revision: str | None = Field(default=None, max_length=200, description="Branch, tag or commit.")
    include: list[str] | None = Field(default=None, max_length=200, description="Globs of files to take.")
    exclude: list[str] | None = Field(default=None, max_length=200, description="Globs of files to leave.")
    options: dict[str, Any] = Field(
        default={}, description="What this source wants to know besides; `GET /sources` has its schema."
    )
    visibility: Visibility | None = Field(
        default=None, description="Who else sees it; the hub's default if null."
    )
    team_id: str | None = Field(default=None, max_length=64)


class DownloadQuery(PageQuery):
    status: DownloadStatus | None = None
    sort: Literal["newest", "queue"] = Field(
        default="newest", description="`queue`: what has not ended, in the order in which it runs."
    )


class DownloadChange(Body):
    """What is left out stays as it is; null takes a limit away."""

    priority: int = Field(
        default=0, ge=-100, le=100, description="Higher runs first; above 0 needs an operator."
    )
    rate: int | None = Rate
    connections: int | None = Field(default=None, ge=1, le=32, description="Null: the hub's setting.")
    any_time: bool = Field(default=False, description="Run outside the hub's hours too; needs an operator.")


class DownloadMove(Body):
    """To before another download of the queue, or to one of its ends. It takes over the priority there."""

    before: str | None = Field(default=None, max_length=64, description="The id of another download.")
    to: Literal["first", "last"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.before is None) == (self.to is None):
            raise ValueError("say either `before` or `to`")
        return self


class DownloadFile(Out):
    path: str
    size: int | None = None


class DownloadOut(OwnedOut):
    id: str
    job_id: str
    source: str
    ref: str
    name: str
    revision: str
    commit: str
    status: DownloadStatus
    bytes_done: int = 0
    bytes_total: int | None = None
    speed: float | None = Field(default=None, description="Bytes per second.")
    eta: float | None = Field(default=None, description="Seconds to the end.")
    message: str = ""
    note: str | None = Field(default=None, description="What was chosen for who did not say it.")
    waiting: ErrorInfo | None = Field(default=None, description="Why it is held in the queue.")
    priority: int = Field(default=0, description="Higher runs first.")
    position: int | None = Field(
        default=None, description="Its place in the queue, from 1; in `sort=queue` and for a single download."
    )
    rate: int | None = Field(default=None, description="Most bytes per second for this one; null: no limit.")
    connections: int | None = Field(default=None, description="Its connections; null: the hub's setting.")
    any_time: bool = Field(default=False, description="Runs outside the hub's hours for downloads too.")
    resumable: bool | None = Field(
        default=None,
        description="False: its source begins again from zero after a pause. Null: not known yet.",
    )
    restart_required: bool = Field(
        default=False, description="It stands still and its source cannot go on: resuming begins from zero."
    )
    error: ErrorInfo | None = None
    update_of: str | None = Field(default=None, description="The model that gets these files as a version.")
    model_id: str | None = None
    files: list[DownloadFile] = []
    created_at: Timestamp
    updated_at: Timestamp
    version: int
