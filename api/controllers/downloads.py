"""/downloads: bringing models home."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.base import Empty, Page
from api.schemas.downloads import DownloadChange, DownloadMove, DownloadOut, DownloadQuery, DownloadRequest
from api.security.authorise import current
from api.services import downloads


class DownloadsResource(Resource):
    @contract("downloads.read", query=DownloadQuery, out=Page[DownloadOut])
    def get(self, query: DownloadQuery) -> Page[DownloadOut]:
        """Downloads, newest first; with `sort=queue` those that have not ended, in the order they run."""
        return downloads.list_downloads(query, current())

    @contract(
        "downloads.write",
        body=DownloadRequest,
        out=DownloadOut,
        status=202,
        errors=(403, 404, 409, 502, 507),
        message="The download is in the queue.",
    )
    def post(self, body: DownloadRequest) -> DownloadOut:
        """Bring a model home: planned now, fetched by a worker."""
        return downloads.request(body, current())


class DownloadResource(Resource):
    @contract("downloads.read", out=DownloadOut)
    def get(self, download_id: str) -> DownloadOut:
        """One download, live."""
        return downloads.get(download_id, current())

    @contract("downloads.write", body=DownloadChange, out=DownloadOut, errors=(409,))
    def patch(self, download_id: str, body: DownloadChange) -> DownloadOut:
        """Set its priority, speed, connections, and whether it runs at any time; live."""
        return downloads.change(download_id, body, current())

    @contract("downloads.write", out=Empty, errors=(409,))
    def delete(self, download_id: str) -> None:
        """Take an ended download off the list; its model stays."""
        downloads.delete(download_id, current())


class MoveResource(Resource):
    @contract("settings.manage", body=DownloadMove, out=DownloadOut, errors=(409,))
    def post(self, download_id: str, body: DownloadMove) -> DownloadOut:
        """Move it within the queue: before another download, or to an end."""
        return downloads.move(download_id, body, current())


class PauseResource(Resource):
    @contract("downloads.write", out=DownloadOut, status=202, errors=(409,))
    def post(self, download_id: str) -> DownloadOut:
        """Pause: every byte so far is kept."""
        return downloads.pause(download_id, current())


class ResumeResource(Resource):
    @contract("downloads.write", out=DownloadOut, status=202, errors=(409,))
    def post(self, download_id: str) -> DownloadOut:
        """Go on from the last durable byte."""
        return downloads.resume(download_id, current())


class CancelResource(Resource):
    @contract("downloads.write", out=DownloadOut, status=202, errors=(409,))
    def post(self, download_id: str) -> DownloadOut:
        """Give up and remove the parts."""
        return downloads.cancel(download_id, current())


class RetryResource(Resource):
    @contract("downloads.write", out=DownloadOut, status=202, errors=(409,))
    def post(self, download_id: str) -> DownloadOut:
        """Try a failed or cancelled download again."""
        return downloads.retry(download_id, current())


ROUTES = [
    (DownloadsResource, "/api/v1/downloads"),
    (DownloadResource, "/api/v1/downloads/<download_id>"),
    (MoveResource, "/api/v1/downloads/<download_id>/move"),
    (PauseResource, "/api/v1/downloads/<download_id>/pause"),
    (ResumeResource, "/api/v1/downloads/<download_id>/resume"),
    (CancelResource, "/api/v1/downloads/<download_id>/cancel"),
    (RetryResource, "/api/v1/downloads/<download_id>/retry"),
]
