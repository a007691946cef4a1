"""The audit log."""

import re
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from api.schemas.base import Body, Out, Timestamp

Result = Literal["done", "denied", "failed"]


class AuditFilter(Body):
    actor: str | None = Field(default=None, max_length=254, description="A user's id, or part of the name.")
    action: str | None = Field(
        default=None, max_length=60, description="`deployment.create` or `deployment.*`."
    )
    object_id: str | None = Field(default=None, max_length=64)
    result: Result | None = None
    address: str | None = Field(default=None, max_length=64)
    request_id: str | None = Field(default=None, max_length=64)
    q: str | None = Field(default=None, max_length=200, description="Part of action, object or actor.")
    since: datetime | None = Field(default=None, description="RFC 3339.")
    until: datetime | None = Field(default=None, description="RFC 3339.")

    @field_validator("since", "until", mode="before")
    @classmethod
    def _written_out(cls, value: object) -> object:
        """A bare number would be taken for seconds since 1970, or for milliseconds: nobody says which."""
        if isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}", value):
            raise ValueError("write it as 2026-01-31 or 2026-01-31T12:00:00Z")
        return value

    @field_validator("since", "until", mode="before")
    @classmethod
    def _written(cls, value: object) -> object:
        """A bare number would be taken for seconds since 1970, which the description does not say."""
        if isinstance(value, str) and "-" not in value[1:]:
            raise ValueError("write it as 2026-01-31 or 2026-01-31T12:00:00Z")
        return value

    @field_validator("since", "until", mode="after")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        """Without a zone it is UTC, as everything the API says."""
        if value is None:
            return None
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:
            raise ValueError("this moment is outside the calendar") from None


class AuditQuery(AuditFilter):
    limit: int = Field(default=50, ge=1, le=200)
    after: int | None = Field(default=None, ge=1, le=2**31 - 1, description="`next` of the page before.")


class AuditExportQuery(AuditFilter):
    format: Literal["jsonl", "csv"] = "jsonl"


class AuditOut(Out):
    seq: int
    at: Timestamp
    actor_kind: Literal["session", "key", "machine", "anonymous", "system"]
    actor_id: str | None
    actor_name: str
    key_id: str | None
    action: str
    object_type: str | None
    object_id: str | None
    object_name: str
    result: Result
    address: str | None
    user_agent: str
    request_id: str
    details: dict[str, Any]
    hash: str


class AuditPage(Out):
    """Newest first. `next` is null at the end."""

    items: list[AuditOut]
    next: int | None = None


class AuditVerdict(Out):
    """`first_bad` is the first entry that was altered, inserted or is missing; null when all is well."""

    ok: bool
    entries: int
    first_bad: int | None = None
    reason: str = ""
