"""What changed, told to the sockets after the commit, and only to those who may see it.

An event is `{id, seq, type, data}`: `seq` is the object's version, `data` the whole object. A lost event is
no harm: the next one, or a subscription's snapshot, says the same and more. It goes to who follows the
object (room `id`) and to `rooms`, the audience of the object (`api.security.ownership.audience`).
"""

from pydantic import BaseModel

from api.extensions import socketio


def publish(namespace: str, type: str, data: BaseModel, rooms: list[str], *, seq: int | None = None) -> None:
    """Tell everybody who follows this object, or all they may see in this namespace."""
    body = data.model_dump(mode="json")
    event = {"id": body["id"], "seq": body["version"] if seq is None else seq, "type": type, "data": body}
    socketio.emit("event", event, namespace=namespace, to=[body["id"], *rooms])


def unsubscribe(namespace: str, id: str, rooms: list[str]) -> None:
    """Fewer people may see this object from now on: nobody follows it any more until they ask again."""
    socketio.emit("unsubscribed", {"id": id}, namespace=namespace, to=[id, *rooms])
    socketio.close_room(id, namespace=namespace)
