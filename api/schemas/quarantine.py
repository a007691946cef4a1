"""Files that are kept away from every engine, and what is decided about them."""

from typing import Literal

from pydantic import Field

from api.schemas.base import Body, Out, PageQuery, Timestamp

QuarantineStatus = Literal["held", "released", "deleted"]


class FindingOut(Out):
    """`none`: looked through and nothing found; `unknown`: could not be looked through."""

    scanner: str
    severity: Literal["none", "unknown", "suspicious", "dangerous"]
    message: str


class QuarantineOut(Out):
    id: str
    model_id: str
    model_name: str
    version_id: str
    path: str
    size: int
    sha256: str | None = None
    findings: list[FindingOut]
    status: QuarantineStatus
    decided_by: str | None = None
    decided_at: Timestamp | None = None
    reason: str = ""
    created_at: Timestamp


class QuarantineQuery(PageQuery):
    status: QuarantineStatus | None = None
    model_id: str | None = Field(default=None, max_length=64)


class Release(Body):
    reason: str = Field(min_length=3, max_length=500, description="Why this file may be trusted.")
