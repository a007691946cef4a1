"""What was said to a deployment, and what every completion cost."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.extensions import db
from api.models.base import Identified, Versioned


class ChatSession(db.Model, Versioned):  # type: ignore[name-defined, misc]
    """`deployment_name` stays when the deployment is gone, so that history can still be read."""

    __tablename__ = "chat_sessions"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    deployment_id: Mapped[str | None] = mapped_column(ForeignKey("deployments.id", ondelete="SET NULL"))
    deployment_name: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(200))
    system_prompt: Mapped[str | None] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class ChatMessage(db.Model, Identified):  # type: ignore[name-defined, misc]
    """While `status` is generating the text so far lives in the journal; the row gets it once, at the end."""

    __tablename__ = "chat_messages"

    session_id: Mapped[str] = mapped_column(ForeignKey("chat_sessions.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(20))
    content: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(20), default="complete")
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    finish_reason: Mapped[str | None] = mapped_column(String(50))
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    ttft_ms: Mapped[int | None]
    duration_ms: Mapped[int | None]

    __table_args__ = (
        Index("ix_chat_messages_session_id", "session_id", "id"),
        Index("ix_chat_messages_status", "status"),
    )


class Completion(db.Model, Identified):  # type: ignore[name-defined, misc]
    """One request through `/v1`: who, which model, how much, how long. Never what was said."""

    __tablename__ = "completions"

    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    deployment_id: Mapped[str | None] = mapped_column(String(32), index=True)
    model: Mapped[str] = mapped_column(String(80))
    stream: Mapped[bool]
    status: Mapped[str] = mapped_column(String(20))  # complete | cancelled | failed
    finish_reason: Mapped[str | None] = mapped_column(String(50))
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    ttft_ms: Mapped[int | None]
    duration_ms: Mapped[int]
