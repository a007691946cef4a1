"""/models: the library."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.base import Empty, Page, PageQuery, Sharing
from api.schemas.downloads import DownloadOut
from api.schemas.jobs import JobOut
from api.schemas.models import (
    CompareOut,
    CompareQuery,
    ImpactOut,
    ModelCardOut,
    ModelOut,
    ModelPatch,
    ModelQuery,
    VersionOut,
)
from api.schemas.ollama import ModelDeletion
from api.security.authorise import current
from api.services import library, library_impact, library_list, remote, updates, verify, versions


class ModelsResource(Resource):
    @contract("models.read", query=ModelQuery, out=Page[ModelOut])
    def get(self, query: ModelQuery) -> Page[ModelOut]:
        """The models of this hub, newest first unless `sort` says otherwise."""
        return library_list.list_models(query, current())


class ModelResource(Resource):
    @contract("models.read", out=ModelOut)
    def get(self, model_id: str) -> ModelOut:
        """One model with its files."""
        return library.get(model_id, current())

    @contract("models.write", body=ModelPatch, out=ModelOut, errors=(409,))
    def patch(self, model_id: str, body: ModelPatch) -> ModelOut:
        """Rename, describe or tag a model."""
        return library.edit(model_id, body, current())

    @contract("models.write", query=ModelDeletion, out=Empty, errors=(409, 502))
    def delete(self, model_id: str, query: ModelDeletion) -> None:
        """Delete a model, its versions and their files; refused while something needs it."""
        library.delete(model_id, current(), on_server=query.on_server)


class ModelImpactResource(Resource):
    @contract("models.read", out=ImpactOut)
    def get(self, model_id: str) -> ImpactOut:
        """What deleting a model would free, and what stands in its way."""
        return library_impact.impact(model_id, current())


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


class ModelVersionsResource(Resource):
    @contract("models.read", query=PageQuery, out=Page[VersionOut])
    def get(self, model_id: str, query: PageQuery) -> Page[VersionOut]:
        """The versions of a model, newest first."""
        return versions.list_versions(model_id, query, current())


class ModelVersionResource(Resource):
    @contract("models.read", out=VersionOut)
    def get(self, model_id: str, version_id: str) -> VersionOut:
        """One version of a model with its files."""
        return versions.get(model_id, version_id, current())

    @contract("models.write", out=Empty, errors=(409,))
    def delete(self, model_id: str, version_id: str) -> None:
        """Delete a version and what only it holds; refused for the active one and one that is being run."""
        versions.delete(model_id, version_id, current())


class ModelVersionActivateResource(Resource):
    @contract("models.write", out=ModelOut)
    def post(self, model_id: str, version_id: str) -> ModelOut:
        """Make a version the active one: what is deployed next runs it."""
        return versions.activate(model_id, version_id, current())


class ModelVersionsCompareResource(Resource):
    @contract("models.read", query=CompareQuery, out=CompareOut)
    def get(self, model_id: str, query: CompareQuery) -> CompareOut:
        """The files that differ between two versions, and the facts that do."""
        return versions.compare(model_id, query, current())


class ModelCheckResource(Resource):
    @contract("models.write", out=ModelOut, errors=(409, 422, 502, 503))
    def post(self, model_id: str) -> ModelOut:
        """Ask the model's source now whether it has a newer revision (`newer`)."""
        return updates.check(model_id, current())


class ModelUpdateResource(Resource):
    @contract("downloads.write", out=DownloadOut, status=202, errors=(409, 422, 502, 503, 507))
    def post(self, model_id: str) -> DownloadOut:
        """Bring the newest revision in as a new version; only what is not here is fetched."""
        return updates.update(model_id, current())


class ModelOffloadResource(Resource):
    @contract("models.write", out=ModelOut, errors=(409,))
    def post(self, model_id: str) -> ModelOut:
        """Take a model's large files off this disk; the object storage has them."""
        return remote.offload(model_id, current())


class ModelRestoreResource(Resource):
    @contract("models.write", out=JobOut, status=202, errors=(409,))
    def post(self, model_id: str) -> JobOut:
        """Bring a model's files back from the object storage."""
        return remote.restore(model_id, current())


class ModelRepairResource(Resource):
    @contract(
        "models.write", out=DownloadOut, status=202, errors=(404, 409, 422, 502, 507),
        message="What is damaged is being fetched again.",
    )  # fmt: skip
    def post(self, model_id: str) -> DownloadOut:
        """Fetch the damaged files of a model again, and no others."""
        return verify.repair(model_id, current())


ROUTES = [
    (ModelRepairResource, "/api/v1/models/<model_id>/repair"),
    (ModelsResource, "/api/v1/models"),
    (ModelResource, "/api/v1/models/<model_id>"),
    (ModelImpactResource, "/api/v1/models/<model_id>/impact"),
    (ModelSharingResource, "/api/v1/models/<model_id>/sharing"),
    (ModelCardResource, "/api/v1/models/<model_id>/card"),
    (ModelVersionsResource, "/api/v1/models/<model_id>/versions"),
    (ModelVersionsCompareResource, "/api/v1/models/<model_id>/versions/compare"),
    (ModelVersionResource, "/api/v1/models/<model_id>/versions/<version_id>"),
    (ModelVersionActivateResource, "/api/v1/models/<model_id>/versions/<version_id>/activate"),
    (ModelCheckResource, "/api/v1/models/<model_id>/check"),
    (ModelUpdateResource, "/api/v1/models/<model_id>/update"),
    (ModelOffloadResource, "/api/v1/models/<model_id>/offload"),
    (ModelRestoreResource, "/api/v1/models/<model_id>/restore"),
]
