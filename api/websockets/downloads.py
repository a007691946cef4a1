"""/downloads: every download, live; and the four things one does to it.

emit("pause", {id}), emit("resume", {id}), emit("cancel", {id}), emit("retry", {id})  -> {ok, download}
"""

from typing import Any

from pydantic import Field

from api.schemas.base import Body
from api.schemas.downloads import DownloadQuery
from api.security.authorise import Identity
from api.services import downloads
from api.websockets.base import LiveNamespace, Subscribe, dumped, handles


class Which(Body):
    id: str = Field(min_length=1, max_length=64)


class DownloadsNamespace(LiveNamespace):
    permission = "downloads.read"

    def snapshot(self, wanted: Subscribe, identity: Identity) -> tuple[Any, int]:
        if wanted.id == "*":
            return downloads.list_downloads(DownloadQuery(limit=200), identity).items, 0
        found = downloads.get(wanted.id, identity)
        return found, found.version

    @handles("downloads.write", Which)
    def on_pause(self, body: Which, identity: Identity) -> dict[str, Any]:
        return {"download": dumped(downloads.pause(body.id, identity))}

    @handles("downloads.write", Which)
    def on_resume(self, body: Which, identity: Identity) -> dict[str, Any]:
        return {"download": dumped(downloads.resume(body.id, identity))}

    @handles("downloads.write", Which)
    def on_cancel(self, body: Which, identity: Identity) -> dict[str, Any]:
        return {"download": dumped(downloads.cancel(body.id, identity))}

    @handles("downloads.write", Which)
    def on_retry(self, body: Which, identity: Identity) -> dict[str, Any]:
        return {"download": dumped(downloads.retry(body.id, identity))}
