"""Socket.IO: rooms in, events out. Every namespace and the schema of what its events carry."""

from flask_socketio import SocketIO

from api.schemas.chat import Delta, MessageOut
from api.schemas.deployments import DeploymentOut
from api.schemas.downloads import DownloadOut
from api.websockets.base import LiveNamespace
from api.websockets.chat import ChatNamespace
from api.websockets.deployments import DeploymentsNamespace
from api.websockets.downloads import DownloadsNamespace
from api.websockets.system import SystemNamespace

NAMESPACES: dict[str, type[LiveNamespace]] = {
    "/downloads": DownloadsNamespace,
    "/deployments": DeploymentsNamespace,
    "/chat": ChatNamespace,
    "/system": SystemNamespace,
}

EVENTS = {
    "/downloads": {"created": DownloadOut, "updated": DownloadOut, "deleted": DownloadOut},
    "/deployments": {
        "created": DeploymentOut,
        "updated": DeploymentOut,
        "deleted": DeploymentOut,
        "log": None,
    },
    "/chat": {"delta": Delta, "done": MessageOut},
    "/system": {},
}
"""Namespace → type of event → schema of its `data`. The `log` event carries `{lines: [str]}`;
`/system` answers a subscription with its snapshot and sends nothing by itself."""


def register(socketio: SocketIO) -> None:
    for name, namespace in NAMESPACES.items():
        socketio.on_namespace(namespace(name))
