"""/sources, /search: what could be brought here."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.base import Page
from api.schemas.search import FoundModel, RemoteModel, RemoteModelParams, SearchParams, SourceList
from api.services import search

_SOURCE_ERRORS = (403, 404, 502)


class SourcesResource(Resource):
    @contract("models.read", out=SourceList)
    def get(self) -> SourceList:
        """The places models can come from."""
        return search.sources()


class SearchResource(Resource):
    @contract("models.read", query=SearchParams, out=Page[FoundModel], errors=_SOURCE_ERRORS)
    def get(self, query: SearchParams) -> Page[FoundModel]:
        """Look for models in a source."""
        return search.search(query)


class RemoteModelResource(Resource):
    @contract("models.read", query=RemoteModelParams, out=RemoteModel, errors=_SOURCE_ERRORS)
    def get(self, query: RemoteModelParams) -> RemoteModel:
        """Files, revisions and card of one model at its source."""
        return search.describe(query)


ROUTES = [
    (SourcesResource, "/api/v1/sources"),
    (SearchResource, "/api/v1/search"),
    (RemoteModelResource, "/api/v1/search/model"),
]
