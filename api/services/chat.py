"""Conversations: sessions and their messages. Everyone sees only their own."""

from flask import current_app
from sqlalchemy import delete as delete_rows
from sqlalchemy import select

from api.errors import Conflict, Invalid, Missing
from api.extensions import db
from api.models import ChatMessage, ChatSession
from api.models.base import new_id, utcnow
from api.schemas.base import Page
from api.schemas.chat import (
    Exchange,
    MessageOut,
    MessageRequest,
    SessionChange,
    SessionDetail,
    SessionOut,
    SessionQuery,
    SessionRequest,
)
from api.security import audit
from api.security.authorise import Identity
from api.services import deployments, gateway, generations
from api.services.paging import page
from api.unit_of_work import exclusive, unit_of_work

UNTITLED = "New conversation"
TITLE_LENGTH = 60


def create(body: SessionRequest, who: Identity) -> SessionOut:
    """Begin a conversation with a deployment (it need not run yet)."""
    with unit_of_work():
        deployment = deployments.seen(body.deployment_id, who)
        session = ChatSession(
            user_id=who.owner_id,
            deployment_id=deployment.id,
            deployment_name=deployment.name,
            title=_clean(body.title or ""),
            system_prompt=_clean(body.system_prompt) if body.system_prompt else None,
            options=body.options.model_dump(exclude_none=True),
        )
        db.session.add(session)
        db.session.flush()
        audit.note("chat.create", ("chat", session.id, session.deployment_name))
        return _shape(session)


def find(session_id: str, who: Identity) -> ChatSession:
    session = db.session.get(ChatSession, session_id)
    if session is None or session.user_id != who.owner_id:
        raise Missing(f"There is no conversation {session_id[:64]}.")
    return session


def get(session_id: str, who: Identity) -> SessionDetail:
    session = find(session_id, who)
    return SessionDetail(**_shape(session).model_dump(), messages=_messages(session_id))


def messages(session_id: str, who: Identity) -> Page[MessageOut]:
    find(session_id, who)
    return Page(items=_messages(session_id))


def list_sessions(query: SessionQuery, who: Identity) -> Page[SessionOut]:
    statement = select(ChatSession).where(ChatSession.user_id == who.owner_id)
    if query.deployment_id:
        statement = statement.where(ChatSession.deployment_id == query.deployment_id)
    return page(statement, ChatSession.id, limit=query.limit, after=query.after, shape=_shape)


def change(session_id: str, body: SessionChange, who: Identity) -> SessionOut:
    """Change what was given; a `system_prompt` of null takes it away."""
    given = body.model_fields_set
    with unit_of_work():
        session = find(session_id, who)
        if body.title is not None:
            session.title = _clean(body.title)
        if "system_prompt" in given:
            session.system_prompt = _clean(body.system_prompt) if body.system_prompt else None
        if body.options is not None:
            session.options = body.options.model_dump(exclude_none=True)
        session.version += 1
        audit.note("chat.change", ("chat", session.id, session.deployment_name), fields=sorted(given))
        db.session.flush()
        return _shape(session)


def delete(session_id: str, who: Identity) -> None:
    """Forget a conversation; an answer that is being written is stopped."""
    find(session_id, who)
    under_way = db.session.scalars(
        select(ChatMessage.id).where(ChatMessage.session_id == session_id, ChatMessage.status == "generating")
    ).all()
    for message_id in under_way:
        generations.stop(message_id, who)
    with unit_of_work():
        session = find(session_id, who)
        db.session.execute(delete_rows(ChatMessage).where(ChatMessage.session_id == session_id))
        audit.note("chat.delete", ("chat", session.id, session.deployment_name))
        db.session.delete(session)


def send(session_id: str, body: MessageRequest, who: Identity) -> Exchange:
    """Keep the question, begin the answer. The answer is written whether or not anybody listens."""
    content = _clean(body.content)
    if not content.strip():
        raise Invalid("The message is empty. Write something to ask.")
    with unit_of_work() as after_commit:
        exclusive(f"chat:{session_id}")
        session = find(session_id, who)
        # Says now if nobody would answer, or if it is no longer shared with us.
        gateway.route_to(session.deployment_id, session.deployment_name, who)
        if _is_writing(session_id):
            raise Conflict("An answer is still being written here. Wait for its end or stop it first.")
        question = ChatMessage(id=new_id(), session_id=session_id, role="user", content=content)
        answer = ChatMessage(
            id=_later(question.id), session_id=session_id, role="assistant", status="generating"
        )
        db.session.add_all((question, answer))
        session.title = session.title or _title(content)
        session.updated_at, session.version = utcnow(), session.version + 1
        db.session.flush()
        exchange = Exchange(
            user=MessageOut.model_validate(question), assistant=MessageOut.model_validate(answer)
        )
        after_commit(lambda: generations.begin(exchange.assistant.id))
    return exchange


def whole(message_id: str) -> MessageOut:
    """The answer when it is complete; waits for it."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    for event in generations.follow(app, message_id, 0):
        if isinstance(event, MessageOut):
            return event
    raise Missing("This conversation was deleted while the answer was being written.")


def _shape(session: ChatSession) -> SessionOut:
    fields = {name: getattr(session, name) for name in SessionOut.model_fields if name != "title"}
    return SessionOut(title=session.title or UNTITLED, **fields)


def _messages(session_id: str) -> list[MessageOut]:
    rows = db.session.scalars(
        select(ChatMessage).where(ChatMessage.session_id == session_id).order_by(ChatMessage.id)
    )
    return [MessageOut.model_validate(row) for row in rows]


def _is_writing(session_id: str) -> bool:
    return bool(
        db.session.scalar(
            select(ChatMessage.id)
            .where(ChatMessage.session_id == session_id, ChatMessage.status == "generating")
            .limit(1)
        )
    )


def _later(id: str) -> str:
    """A new id that sorts after `id`: two of one millisecond come in any order."""
    while (later := new_id()) <= id:
        pass
    return later


def _title(question: str) -> str:
    """The question's first line, cut at a word."""
    line = question.strip().splitlines()[0].strip()
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: TITLE_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def _clean(text: str) -> str:
    if "\0" in text:
        raise Invalid("The text contains a NUL character. Remove it and send it again.")
    return text
