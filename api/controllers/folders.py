"""/folders: models that lie on the hub's machine already."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.folders import FoldersOut, ScanQuery
from api.security.authorise import current
from api.services import folders


class ScanResource(Resource):
    @contract("folders.use", query=ScanQuery, out=FoldersOut, errors=(404,))
    def get(self, query: ScanQuery) -> FoldersOut:
        """Look for models in the permitted folders, or below one of them. Bring one in with POST
        /downloads."""
        return folders.scan(query, current())


ROUTES = [
    (ScanResource, "/api/v1/folders/scan"),
]
