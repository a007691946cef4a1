"""What the engine is asked: a conversation's history as messages, with the session's sampling."""

from typing import Any

from sqlalchemy import select

from api.extensions import db
from api.models import ChatMessage, ChatSession

Payload = dict[str, Any]


def payload(session: ChatSession, answer: ChatMessage, written: str = "") -> Payload:
    """Everything said before `answer`, and what of `answer` itself is `written`, to be continued."""
    earlier = db.session.scalars(
        select(ChatMessage)
        .where(ChatMessage.session_id == session.id, ChatMessage.id < answer.id)
        .order_by(ChatMessage.id)
    ).all()
    messages = [{"role": "system", "content": session.system_prompt}] if session.system_prompt else []
    messages += _turns(earlier)
    if written:
        messages.append({"role": "assistant", "content": written})
    options = {name: value for name, value in (session.options or {}).items() if value is not None}
    return {"model": session.deployment_name, "messages": messages, **options}


def _turns(rows: Any) -> list[dict[str, str]]:
    """Question and answer in turn.

    A question whose answer has no text is left out: many chat templates refuse two of one side in a row.
    """
    turns: list[dict[str, str]] = []
    for row in rows:
        if not row.content:
            continue
        if turns and turns[-1]["role"] == row.role:
            turns.pop()
        turns.append({"role": row.role, "content": row.content})
    return turns
