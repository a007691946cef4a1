"""/chat: ask, follow an answer from any offset, stop it.

emit("send", {session_id, content})  -> {ok, user, assistant}
emit("subscribe", {id, after?})      -> {ok, snapshot, seq}      id: a message, or "*" for your conversations
emit("stop", {id})                   -> {ok, message}
on("event", {id, seq, type: "delta", data: {text, …}})  seq: characters written so far
on("event", {id, seq, type: "done", data: Message})
"""

from typing import Any

from flask import Flask, current_app, request
from flask_socketio import join_room
from pydantic import Field

from api.extensions import socketio
from api.schemas.base import Body
from api.schemas.chat import Delta, MessageRequest, SessionQuery
from api.security.authorise import Identity
from api.services import chat, generations
from api.websockets.base import LiveNamespace, Subscribe, dumped, handles


class Send(Body):
    session_id: str = Field(min_length=1, max_length=64)
    content: str = Field(min_length=1, max_length=200_000)


class Stop(Body):
    id: str = Field(min_length=1, max_length=64)


class ChatNamespace(LiveNamespace):
    permission = "chat.use"

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self._turns: dict[tuple[str, str], int] = {}

    def snapshot(self, wanted: Subscribe, identity: Identity) -> tuple[Any, int]:
        if wanted.id == "*":
            return chat.list_sessions(SessionQuery(limit=200), identity).items, 0
        return generations.get(wanted.id, identity), wanted.after

    def subscribed(self, wanted: Subscribe, _identity: Identity) -> None:
        if wanted.id != "*":
            self._begin_following(wanted.id, wanted.after)

    @handles("chat.use", Send)
    def on_send(self, body: Send, identity: Identity) -> dict[str, Any]:
        request_body = MessageRequest(content=body.content, stream=True)
        exchange = chat.send(body.session_id, request_body, identity)
        join_room(exchange.assistant.id)
        self._begin_following(exchange.assistant.id, 0)
        return dict(dumped(exchange))

    @handles("chat.use", Stop)
    def on_stop(self, body: Stop, identity: Identity) -> dict[str, Any]:
        return {"message": dumped(generations.stop(body.id, identity))}

    def _begin_following(self, message_id: str, after: int) -> None:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        sid = request.sid  # type: ignore[attr-defined]
        # A newer subscription of the same client to the same answer takes the place of the older one.
        turn = self._turns[sid, message_id] = self._turns.get((sid, message_id), 0) + 1
        socketio.start_background_task(self._follow, app, sid, message_id, after, turn)

    def _follow(self, app: Flask, sid: str, message_id: str, after: int, turn: int) -> None:
        """Send one answer to one client, as long as it is subscribed; a slow client holds up nobody else."""
        try:
            self._send_on(app, sid, message_id, after, turn)
        finally:
            if self._turns.get((sid, message_id)) == turn:
                del self._turns[sid, message_id]

    def _send_on(self, app: Flask, sid: str, message_id: str, after: int, turn: int) -> None:
        for event in generations.follow(app, message_id, after):
            if self._turns.get((sid, message_id)) != turn or not self.is_following(sid, message_id):
                return
            if event is None:
                continue
            kind, seq = ("delta", event.offset) if isinstance(event, Delta) else ("done", len(event.content))
            # Only this process has this client, so Redis need not carry every token twice more.
            socketio.emit(
                "event",
                {"id": message_id, "seq": seq, "type": kind, "data": dumped(event)},
                namespace=self.namespace,
                to=sid,
                ignore_queue=True,
            )
