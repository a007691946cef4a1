"""/quarantine: files that are kept away from every engine until an administrator decides."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.base import Empty, Page
from api.schemas.quarantine import QuarantineOut, QuarantineQuery, Release
from api.security.authorise import current
from api.services import quarantine


class QuarantineResource(Resource):
    @contract("intake.release", query=QuarantineQuery, out=Page[QuarantineOut])
    def get(self, query: QuarantineQuery) -> Page[QuarantineOut]:
        """Files in quarantine with what was found in them, and what was decided."""
        return quarantine.list_files(query, current())


class QuarantinedFileResource(Resource):
    @contract("intake.release", out=QuarantineOut)
    def get(self, file_id: str) -> QuarantineOut:
        """One file in quarantine."""
        return quarantine.get(file_id, current())

    @contract("intake.release", out=Empty, errors=(409,))
    def delete(self, file_id: str) -> None:
        """Delete a held file for good."""
        quarantine.delete(file_id, current())


class QuarantineReleaseResource(Resource):
    @contract("intake.release", body=Release, out=QuarantineOut, errors=(409,))
    def post(self, file_id: str, body: Release) -> QuarantineOut:
        """Let a held file back into its model, for a reason that is recorded."""
        return quarantine.release(file_id, body, current())


ROUTES = [
    (QuarantineResource, "/api/v1/quarantine"),
    (QuarantinedFileResource, "/api/v1/quarantine/<file_id>"),
    (QuarantineReleaseResource, "/api/v1/quarantine/<file_id>/release"),
]
