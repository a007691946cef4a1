"""/audit: what was done, by whom, on what, from where."""

from flask import Response, stream_with_context
from flask_restful import Resource

from api.controllers.contract import contract
from api.errors import now_text
from api.schemas.audit import AuditExportQuery, AuditPage, AuditQuery, AuditVerdict
from api.services import audit

_MEDIA = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


class AuditResource(Resource):
    @contract("audit.read", query=AuditQuery, out=AuditPage)
    def get(self, query: AuditQuery) -> AuditPage:
        """Search the audit log, newest first."""
        return audit.search(query)


class ExportResource(Resource):
    @contract("audit.read", query=AuditExportQuery, streams=", ".join(_MEDIA.values()), envelope=False)
    def get(self, query: AuditExportQuery) -> Response:
        """The whole search as a file, oldest first: JSON lines, or CSV for a spreadsheet."""
        name = f"modelhub-audit-{now_text()[:10]}.{query.format}"
        response = Response(
            stream_with_context(audit.export(query)), content_type=f"{_MEDIA[query.format]}; charset=utf-8"
        )
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Cache-Control"] = "no-store"
        return response


class VerifyResource(Resource):
    @contract("audit.read", out=AuditVerdict)
    def get(self) -> AuditVerdict:
        """Check the whole log: is any entry altered, missing, added or out of place?"""
        return audit.verify()


ROUTES = [
    (AuditResource, "/api/v1/audit"),
    (ExportResource, "/api/v1/audit/export"),
    (VerifyResource, "/api/v1/audit/verify"),
]
