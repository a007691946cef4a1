"""One way into every namespace: connect with a token, subscribe to an id or to `*`, get a snapshot.

    emit("subscribe", {id, after?}) -> {ok: true, snapshot, seq} | {ok: false, error: {code, message}}
    emit("unsubscribe", {id})       -> {ok: true}
    on("event", {id, seq, type, data})

The room is joined before the snapshot is read, so nothing can fall between the two; a client drops events
whose `seq` is not above the snapshot's.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

import structlog
from flask import request
from flask_socketio import ConnectionRefusedError, Namespace, disconnect, join_room, leave_room
from pydantic import BaseModel, Field

from api.errors import AppError, Unauthenticated, describe
from api.extensions import db, socketio
from api.schemas.base import Body
from api.security.authorise import Identity, identify, require
from api.security.permissions import Permission

log = structlog.get_logger(__name__)
_tokens: dict[str, str] = {}


class Subscribe(Body):
    id: str = Field(min_length=1, max_length=64)
    after: int = Field(default=0, ge=0)
    logs: bool = False


class Unsubscribe(Body):
    id: str = Field(min_length=1, max_length=64)


def handles(permission: Permission, body: type[Body]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a socket event: who may send it and what it carries. The token is checked at every event."""

    def declare(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Namespace, data: Any = None) -> dict[str, Any]:
            try:
                identity = _who(self)
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
    token = _tokens.get(request.sid + str(namespace.namespace))  # type: ignore[attr-defined]
    if token is None:
        raise Unauthenticated("Connect with `auth: {token}` first.")
    return identify(token)


class LiveNamespace(Namespace):
    """Follow objects of one kind. Subclasses say which permission it takes and how a snapshot is made."""

    permission: ClassVar[Permission]

    def on_connect(self, auth: Any = None) -> None:
        token = (auth or {}).get("token") if isinstance(auth, dict) else None
        try:
            if not isinstance(token, str):
                raise Unauthenticated("Connect with `auth: {token}`.")
            require(identify(token), self.permission)
        except AppError as error:
            raise ConnectionRefusedError(describe(error)) from None
        finally:
            db.session.remove()
        _tokens[request.sid + self.namespace] = token  # type: ignore[attr-defined]

    def on_disconnect(self, reason: str | None = None) -> None:
        _tokens.pop(request.sid + self.namespace, None)  # type: ignore[attr-defined]

    def is_following(self, sid: str, id: str) -> bool:
        """Whether this client is still connected and subscribed to `id`. Needs no application context."""
        try:
            return id in socketio.server.rooms(sid, self.namespace)
        except (KeyError, ValueError):
            return False

    def snapshot(self, wanted: Subscribe, identity: Identity) -> tuple[Any, int]:
        """The object (or the list, for `*`) and its sequence number."""
        raise AssertionError("a namespace says what it shows")

    def subscribed(self, wanted: Subscribe) -> None:
        """Called after a subscription; a namespace with series replays them here."""

    @handles("signed_in", Subscribe)
    def on_subscribe(self, wanted: Subscribe, identity: Identity) -> dict[str, Any]:
        require(identity, self.permission)
        join_room(wanted.id)
        try:
            snapshot, seq = self.snapshot(wanted, identity)
        except Exception:
            leave_room(wanted.id)
            raise
        self.subscribed(wanted)
        return {"snapshot": dumped(snapshot), "seq": seq}

    @handles("signed_in", Unsubscribe)
    def on_unsubscribe(self, wanted: Unsubscribe, _identity: Identity) -> None:
        leave_room(wanted.id)


def dumped(value: Any) -> Any:
    """Plain JSON of pydantic objects and lists of them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [dumped(item) for item in value]
    return value
