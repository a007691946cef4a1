"""A model answering somewhere."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Body, ErrorInfo, Out, OwnedOut, PageQuery, Timestamp, Visibility

DeploymentStatus = Literal["deploying", "running", "stopped", "failed"]


class DeploymentRequest(Body):
    model_id: str = Field(max_length=64)
    name: str = Field(
        min_length=1,
        max_length=80,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$",
        description="The `model` under which `/v1` answers.",
    )
    runtime: str = Field(default="process", max_length=50)
    options: dict[str, Any] = Field(default={}, description="See `/runtimes` for each runtime's schema.")
    visibility: Visibility | None = Field(
        default=None, description="Who else sees it; the hub's default if null."
    )
    team_id: str | None = Field(default=None, max_length=64)


class DeploymentQuery(PageQuery):
    status: DeploymentStatus | None = None


class DeploymentOut(OwnedOut):
    id: str
    name: str
    model_id: str
    model_name: str
    version_id: str | None = Field(default=None, description="The model's version that it was started with.")
    outdated: bool = Field(
        default=False, description="The model has another active version by now: a restart takes it."
    )
    runtime: str
    engine: str | None = None
    status: DeploymentStatus
    endpoint: str | None = None
    message: str = ""
    error: ErrorInfo | None = None
    options: dict[str, Any] = {}
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class LogQuery(Body):
    after: int = Field(default=0, ge=0, description="Byte offset; `next` of the answer before.")


class LogPage(Out):
    lines: list[str]
    next: int


class RuntimeOut(Out):
    name: str
    title: str
    options_schema: dict[str, Any] = Field(description="JSON Schema of `options`.")


class RuntimeList(Out):
    items: list[RuntimeOut]
