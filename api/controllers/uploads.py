"""/uploads: sending models piece by piece, in the manner of tus 1.0.0 (docs/downloads.md says how far)."""

from flask import Response, request
from flask_restful import Resource

from api.controllers.contract import answered, contract
from api.schemas.base import Empty, Page
from api.schemas.downloads import DownloadOut
from api.schemas.uploads import CHUNK, OffsetOut, UploadOut, UploadQuery, UploadRequest
from api.security.authorise import current
from api.services import uploads

TUS = "1.0.0"


class UploadsResource(Resource):
    @contract("downloads.read", query=UploadQuery, out=Page[UploadOut])
    def get(self, query: UploadQuery) -> Page[UploadOut]:
        """Uploads, newest first."""
        return uploads.list_uploads(query, current())

    @contract(
        "downloads.write",
        body=UploadRequest,
        out=UploadOut,
        status=201,
        errors=(409, 507),
        message="Send the files, then complete the upload.",
    )
    def post(self, body: UploadRequest) -> UploadOut:
        """Begin to send a model: its files by name and size. What the hub has already need not be sent."""
        return uploads.create(body, current())


class UploadResource(Resource):
    @contract("downloads.read", out=UploadOut)
    def get(self, upload_id: str) -> UploadOut:
        """One upload: how much of each file is here."""
        return uploads.get(upload_id, current())

    @contract("downloads.write", out=Empty, errors=(409,))
    def delete(self, upload_id: str) -> None:
        """Give up; what was sent is deleted."""
        uploads.cancel(upload_id, current())


class UploadFileResource(Resource):
    @contract("downloads.read", out=OffsetOut)
    def get(self, upload_id: str, index: int) -> Response:
        """How much of the file with this number (counted from 0) is here; HEAD has it as `Upload-Offset`."""
        return _offset(uploads.offset(upload_id, index, current()))

    @contract(
        "downloads.write",
        raw=CHUNK,
        headers=("Upload-Offset", "Upload-Checksum"),
        out=OffsetOut,
        errors=(409, 502, 507),
    )
    def patch(self, upload_id: str, index: int) -> Response:
        """Add a piece of bytes, at most `chunk_size`, at `Upload-Offset`, which must be what is here."""
        return _offset(
            uploads.write(
                upload_id,
                index,
                current(),
                at=request.headers.get("Upload-Offset"),
                checksum=request.headers.get("Upload-Checksum"),
                read=request.stream.read,
            )
        )


class CompleteResource(Resource):
    @contract(
        "downloads.write",
        out=DownloadOut,
        status=202,
        errors=(409, 507),
        message="All is here. It is checked now, then it is in the library.",
    )
    def post(self, upload_id: str) -> DownloadOut:
        """Everything was sent: hash it, check it and put it on the shelf. Answers the download that does."""
        return uploads.complete(upload_id, current())


def _offset(answer: OffsetOut) -> Response:
    response = answered(answer)
    response.headers["Upload-Offset"] = str(answer.offset)
    response.headers["Upload-Length"] = str(answer.size)
    response.headers["Tus-Resumable"] = TUS
    response.headers["Cache-Control"] = "no-store"
    return response


ROUTES = [
    (UploadsResource, "/api/v1/uploads"),
    (UploadResource, "/api/v1/uploads/<upload_id>"),
    (UploadFileResource, "/api/v1/uploads/<upload_id>/files/<int:index>"),
    (CompleteResource, "/api/v1/uploads/<upload_id>/complete"),
]
