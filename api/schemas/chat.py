"""Conversations with a deployment."""

from typing import Literal

from pydantic import Field

from api.schemas.base import Body, ErrorInfo, Out, PageQuery, Timestamp

MessageStatus = Literal["generating", "complete", "stopped", "failed"]


class ChatOptions(Body):
    """Sampling of one session; what is null is left to the engine."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=0, le=1000)
    max_tokens: int | None = Field(default=None, ge=1, le=131_072)
    seed: int | None = Field(default=None, ge=0, le=2**31)


class SessionRequest(Body):
    deployment_id: str = Field(max_length=64)
    title: str | None = Field(default=None, max_length=200)
    system_prompt: str | None = Field(default=None, max_length=50_000)
    options: ChatOptions = ChatOptions()


class SessionChange(Body):
    title: str | None = Field(default=None, min_length=1, max_length=200)
    system_prompt: str | None = Field(default=None, max_length=50_000)
    options: ChatOptions | None = None


class MessageRequest(Body):
    content: str = Field(min_length=1, max_length=200_000)
    stream: bool = False


class MessageOut(Out):
    id: str
    session_id: str
    role: Literal["user", "assistant"]
    content: str
    status: MessageStatus
    error: ErrorInfo | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    ttft_ms: int | None = Field(default=None, description="Milliseconds to the first token.")
    duration_ms: int | None = None
    created_at: Timestamp


class SessionOut(Out):
    id: str
    title: str
    deployment_id: str | None = None
    deployment_name: str
    system_prompt: str | None = None
    options: ChatOptions = ChatOptions()
    created_at: Timestamp
    updated_at: Timestamp


class SessionDetail(SessionOut):
    messages: list[MessageOut]


class SessionQuery(PageQuery):
    deployment_id: str | None = Field(default=None, max_length=64)


class AttachQuery(Body):
    after: int = Field(default=0, ge=0, description="Characters already received.")


class Exchange(Out):
    """The first frame of a stream: the question as kept, and the answer being written."""

    user: MessageOut
    assistant: MessageOut


class Delta(Out):
    """A piece of an answer. `offset` is the length in characters of the answer after it."""

    message_id: str
    offset: int
    text: str
