"""What changed, told to the sockets after the commit.

An event is `{id, seq, type, data}`: `seq` is the object's version, `data` the whole object. A lost event is
no harm: the next one, or a subscription's snapshot, says the same and more. Rooms are `id` and `*`.
"""

from typing import Any

from pydantic import BaseModel

from api.extensions import socketio


def publish(namespace: str, type: str, data: BaseModel, *, seq: int | None = None) -> None:
    """Tell everybody who follows this object or the whole namespace."""
    body = data.model_dump(mode="json")
    send(namespace, body["id"], body["version"] if seq is None else seq, type, body)


def send(
    namespace: str, id: str, seq: int, type: str, data: dict[str, Any], *, everyone: bool = True
) -> None:
    """One event to the room of `id`, and to the room of all unless `everyone` is False."""
    event = {"id": id, "seq": seq, "type": type, "data": data}
    rooms = [id, "*"] if everyone else [id]
    socketio.emit("event", event, namespace=namespace, to=rooms)
