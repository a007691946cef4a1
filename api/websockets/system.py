"""/system: the machine and the hub's parts."""

from typing import Any

from api.security.authorise import Identity
from api.services import system
from api.websockets.base import LiveNamespace, Subscribe


class SystemNamespace(LiveNamespace):
    permission = "system.read"

    def snapshot(self, wanted: Subscribe, identity: Identity) -> tuple[Any, int]:
        return system.overview(), 0
