"""Shapes shared by every resource: strict bodies, pages, the success and the error envelope."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

T = TypeVar("T")
Visibility = Literal["private", "team", "public"]


def utc_text(value: datetime) -> str:
    """RFC 3339 in UTC with a `Z`; a naive value (SQLite gives those) is already UTC."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime, PlainSerializer(utc_text, return_type=str, when_used="json"), Field(description="UTC")
]


class Body(BaseModel):
    """A request body or query. Unknown fields are refused: a typing error must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", str_max_length=200_000)


class Out(BaseModel):
    """An answer, readable from a database row."""

    model_config = ConfigDict(from_attributes=True)


class Page(Out, Generic[T]):
    """One page of a list. Ask again with `after=<next>` until `next` is null."""

    items: list[T]
    next: str | None = None


class PageQuery(Body):
    limit: int = Field(default=50, ge=1, le=200, description="Most items to return.")
    after: str | None = Field(default=None, max_length=200, description="`next` of the page before.")


class Problem(BaseModel):
    """The envelope of every refusal: a stable code, and what happened and what to do."""

    success: bool = False
    message: str
    error: str
    details: dict[str, Any] = {}
    timestamp: Timestamp


class ErrorInfo(Out):
    """Why a job, download or deployment failed: the same words REST would have used."""

    code: str
    message: str
    details: dict[str, Any] = {}


class Empty(Out):
    """Nothing to say beyond success."""


class OwnedOut(Out):
    """Whose it is and who else sees it. Its owner, a manager of its team and `all.write` may change it."""

    owner_id: str | None = None
    owner_name: str | None = None
    visibility: Visibility = "private"
    team_id: str | None = None


class Sharing(Body):
    """Who else sees it. `team_id` is needed with `team`, and refused otherwise."""

    visibility: Visibility
    team_id: str | None = Field(default=None, max_length=64)
