"""/models: the library."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.base import Empty, Page, Sharing
from api.schemas.models import ModelCardOut, ModelOut, ModelQuery
from api.schemas.ollama import ModelDeletion
from api.security.authorise import current
from api.services import library


class ModelsResource(Resource):
    @contract("models.read", query=ModelQuery, out=Page[ModelOut])
    def get(self, query: ModelQuery) -> Page[ModelOut]:
        """The models of this hub, newest first."""
        return library.list_models(query, current())


class ModelResource(Resource):
    @contract("models.read", out=ModelOut)
    def get(self, model_id: str) -> ModelOut:
        """One model with its files."""
        return library.get(model_id, current())

    @contract("models.write", query=ModelDeletion, out=Empty, errors=(409, 502))
    def delete(self, model_id: str, query: ModelDeletion) -> None:
        """Delete a model and its files; refused while a deployment needs it."""
        library.delete(model_id, current(), on_server=query.on_server)


class ModelSharingResource(Resource):
    @contract("models.write", body=Sharing, out=ModelOut)
    def put(self, model_id: str, body: Sharing) -> ModelOut:
        """Say who else sees a model: nobody, a team, or everybody who can sign in."""
        return library.share(model_id, body, current())


class ModelCardResource(Resource):
    @contract("models.read", out=ModelCardOut)
    def get(self, model_id: str) -> ModelCardOut:
        """The README that came with a model."""
        return library.card(model_id, current())


ROUTES = [
    (ModelsResource, "/api/v1/models"),
    (ModelResource, "/api/v1/models/<model_id>"),
    (ModelSharingResource, "/api/v1/models/<model_id>/sharing"),
    (ModelCardResource, "/api/v1/models/<model_id>/card"),
]
