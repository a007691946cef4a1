"""/chat: conversations, and answers streamed as server-sent events from any offset."""

import json
from collections.abc import Iterator

from flask import Response, current_app, request
from flask_restful import Resource

from api.controllers.contract import contract
from api.controllers.stream import while_allowed
from api.extensions import db
from api.schemas.base import Empty, Page
from api.schemas.chat import (
    AttachQuery,
    Delta,
    Exchange,
    MessageOut,
    MessageRequest,
    SessionChange,
    SessionDetail,
    SessionOut,
    SessionQuery,
    SessionRequest,
)
from api.security.authorise import current
from api.services import chat, generations

SSE = "text/event-stream"


class SessionsResource(Resource):
    @contract("chat.use", query=SessionQuery, out=Page[SessionOut])
    def get(self, query: SessionQuery) -> Page[SessionOut]:
        """Your conversations, newest first."""
        return chat.list_sessions(query, current())

    @contract("chat.use", body=SessionRequest, out=SessionOut, status=201, errors=(404,))
    def post(self, body: SessionRequest) -> SessionOut:
        """Begin a conversation with a deployment."""
        return chat.create(body, current())


class SessionResource(Resource):
    @contract("chat.use", out=SessionDetail)
    def get(self, session_id: str) -> SessionDetail:
        """One conversation with its messages, oldest first."""
        return chat.get(session_id, current())

    @contract("chat.use", body=SessionChange, out=SessionOut)
    def patch(self, session_id: str, body: SessionChange) -> SessionOut:
        """Rename it, or change its system prompt or sampling from the next message on."""
        return chat.change(session_id, body, current())

    @contract("chat.use", out=Empty)
    def delete(self, session_id: str) -> None:
        """Forget a conversation."""
        chat.delete(session_id, current())


class MessagesResource(Resource):
    @contract("chat.use", out=Page[MessageOut])
    def get(self, session_id: str) -> Page[MessageOut]:
        """The messages of a conversation, oldest first."""
        return chat.messages(session_id, current())

    @contract("chat.use", body=MessageRequest, out=MessageOut, status=201, streams=SSE, errors=(409,))
    def post(self, session_id: str, body: MessageRequest) -> Response | MessageOut:
        """Ask. With `stream` the answer comes as events while it is written, else when it is complete."""
        try:
            exchange = chat.send(session_id, body, current())
        finally:
            db.session.rollback()
        if body.stream:
            return _stream(exchange.assistant.id, 0, exchange)
        return chat.whole(exchange.assistant.id)


class GenerationEventsResource(Resource):
    @contract("chat.use", query=AttachQuery, envelope=False, streams=SSE)
    def get(self, message_id: str, query: AttachQuery) -> Response:
        """Attach to an answer, from a character offset on. `Last-Event-ID` serves as well as `after`."""
        try:
            generations.owned(message_id, current())
        finally:
            db.session.rollback()
        last = request.headers.get("Last-Event-ID", "")
        seen = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else 0
        return _stream(message_id, max(query.after, seen))


class StopGenerationResource(Resource):
    @contract("chat.use", out=MessageOut)
    def post(self, message_id: str) -> MessageOut:
        """End an answer where it is. What is written stays."""
        return generations.stop(message_id, current())


def _stream(message_id: str, after: int, exchange: Exchange | None = None) -> Response:
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def frames() -> Iterator[bytes]:
        if exchange:
            yield _frame("message", exchange.model_dump_json(), 0)
        offset = after
        for event in generations.follow(app, message_id, after):
            if event is None:
                yield b": ping\n\n"
            elif isinstance(event, Delta):
                offset = event.offset
                yield _frame("delta", event.model_dump_json(), offset)
            else:
                if event.status == "failed" and event.error:
                    yield _frame(
                        "error",
                        json.dumps({"code": event.error.code, "message": event.error.message}),
                        offset,
                    )
                yield _frame("done", event.model_dump_json(), offset)

    response = Response(while_allowed(app, current(), frames()), content_type=SSE, direct_passthrough=True)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _frame(event: str, data: str, offset: int) -> bytes:
    return f"id: {offset}\nevent: {event}\ndata: {data}\n\n".encode()


ROUTES = [
    (SessionsResource, "/api/v1/chat/sessions"),
    (SessionResource, "/api/v1/chat/sessions/<session_id>"),
    (MessagesResource, "/api/v1/chat/sessions/<session_id>/messages"),
    (GenerationEventsResource, "/api/v1/chat/generations/<message_id>/events"),
    (StopGenerationResource, "/api/v1/chat/generations/<message_id>/stop"),
]
