"""/downloads: every download, live."""

from typing import Any

from api.schemas.downloads import DownloadQuery
from api.security.authorise import Identity
from api.services import downloads
from api.websockets.base import LiveNamespace, Subscribe


class DownloadsNamespace(LiveNamespace):
    permission = "downloads.read"

    def snapshot(self, wanted: Subscribe, identity: Identity) -> tuple[Any, int]:
        if wanted.id == "*":
            return downloads.list_downloads(DownloadQuery(limit=200), identity).items, 0
        found = downloads.get(wanted.id, identity)
        return found, found.version
