"""One way into every namespace: connect with a token, subscribe to an id or to `*`, get a snapshot.

    emit("subscribe", {id, after?}) -> {ok: true, snapshot, seq} | {ok: false, error: {code, message}}
    emit("unsubscribe", {id})       -> {ok: true}
    on("event", {id, seq, type, data})

    on("unsubscribed", {id})        fewer people may see it now: subscribe again to learn if you may

The room is joined before the snapshot is read, so nothing can fall between the two; a client drops events
whose `seq` is not above the snapshot's. `*` joins the rooms of everything one may see. A socket belongs to a
session or an API key, not to the access token it came with: it lives until that ends (`watch`).
"""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

import structlog
from flask import g, request
from flask_socketio import ConnectionRefusedError, Namespace, disconnect, join_room, leave_room
from pydantic import BaseModel, Field

from api.errors import AppError, Unauthenticated, describe
from api.extensions import db, socketio
from api.schemas.base import Body
from api.security import limits, ownership
from api.security.authorise import Identity, identify, look_again, require
from api.security.permissions import Permission
from api.websockets.connected import connected

log = structlog.get_logger(__name__)


class Subscribe(Body):
    id: str = Field(min_length=1, max_length=64)
    after: int = Field(default=0, ge=0)
    logs: bool = False


class Unsubscribe(Body):
    id: str = Field(min_length=1, max_length=64)


def handles(permission: Permission, body: type[Body]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a socket event: who may send it and what it carries. Checked anew at every event."""

    def declare(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Namespace, data: Any = None) -> dict[str, Any]:
            try:
                identity = g.identity = _who(self)
                g.request_id = uuid.uuid4().hex
                limits.allow_event(identity)
                require(identity, permission)
                answer = method(self, body.model_validate(data if data is not None else {}), identity)
                return {"ok": True, **(answer or {})}
            except Unauthenticated as error:
                disconnect()
                return {"ok": False, "error": describe(error)}
            except Exception as error:
                said = describe(error)
                if said["code"] == "INTERNAL":
                    log.exception("socket event failed", namespace=self.namespace)
                return {"ok": False, "error": said}
            finally:
                db.session.remove()

        call.permission = permission  # type: ignore[attr-defined]
        call.body = body  # type: ignore[attr-defined]
        return call

    return declare


def _who(namespace: Namespace) -> Identity:
    known = connected.get((str(namespace.namespace), request.sid))  # type: ignore[attr-defined]
    if known is None:
        raise Unauthenticated("Connect with `auth: {token}` first.")
    return look_again(known)


class LiveNamespace(Namespace):
    """Follow objects of one kind. Subclasses say which permission it takes and how a snapshot is made."""

    permission: ClassVar[Permission]

    def on_connect(self, auth: Any = None) -> None:
        token = (auth or {}).get("token") if isinstance(auth, dict) else None
        try:
            if not isinstance(token, str):
                raise Unauthenticated("Connect with `auth: {token}`.")
            identity = identify(token)
            require(identity, self.permission)
        except AppError as error:
            raise ConnectionRefusedError(describe(error)) from None
        finally:
            db.session.remove()
        connected[self.namespace, request.sid] = identity  # type: ignore[attr-defined]

    def on_disconnect(self, reason: str | None = None) -> None:
        connected.pop((self.namespace, request.sid), None)  # type: ignore[attr-defined]

    def is_following(self, sid: str, id: str) -> bool:
        """Whether this client is still connected and subscribed to `id`. Needs no application context."""
        try:
            return id in socketio.server.rooms(sid, self.namespace)
        except (KeyError, ValueError):
            return False

    def snapshot(self, wanted: Subscribe, identity: Identity) -> tuple[Any, int]:
        """The object (or the list, for `*`) and its sequence number."""
        raise AssertionError("a namespace says what it shows")

    def subscribed(self, wanted: Subscribe, identity: Identity) -> None:
        """Called after a subscription; a namespace with series replays them here."""

    @handles("signed_in", Subscribe)
    def on_subscribe(self, wanted: Subscribe, identity: Identity) -> dict[str, Any]:
        require(identity, self.permission)
        if wanted.id != "*":
            # Refuses what is not there for us before anything is joined: not one event may leak. Rooms
            # have other names than ids too ("public", "user:…"), and those are no object's.
            self.snapshot(wanted, identity)
        for room in self._rooms(wanted.id, identity):
            join_room(room)
        snapshot, seq = self.snapshot(wanted, identity)
        self.subscribed(wanted, identity)
        return {"snapshot": dumped(snapshot), "seq": seq}

    @handles("signed_in", Unsubscribe)
    def on_unsubscribe(self, wanted: Unsubscribe, identity: Identity) -> None:
        for room in self._rooms(wanted.id, identity):
            leave_room(room)

    @staticmethod
    def _rooms(id: str, identity: Identity) -> list[str]:
        return ownership.rooms_of(identity) if id == "*" else [id]


def dumped(value: Any) -> Any:
    """Plain JSON of pydantic objects and lists of them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [dumped(item) for item in value]
    return value
