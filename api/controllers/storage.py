"""/storage: where the bytes are, whether they are right, and what could be removed."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.jobs import JobOut
from api.schemas.storage import GarbageOut, StorageOut, VerifyRequest
from api.security.authorise import current
from api.services import garbage, storage, verify


class StorageResource(Resource):
    @contract("models.read", out=StorageOut)
    def get(self) -> StorageOut:
        """The hub's disks, what each kind of thing takes, what waits for room, what could be removed."""
        return storage.overview(current())


class VerifyResource(Resource):
    @contract(
        "models.write", body=VerifyRequest, out=JobOut, status=202, errors=(404, 409),
        message="Every file is being hashed again.",
    )  # fmt: skip
    def post(self, body: VerifyRequest) -> JobOut:
        """Hash the files of a model, or of the whole library, again."""
        return verify.request(body, current())


class GarbageResource(Resource):
    @contract("settings.manage", out=GarbageOut)
    def get(self) -> GarbageOut:
        """What lies on the disk and belongs to nobody."""
        return garbage.show()

    @contract("settings.manage", out=GarbageOut)
    def post(self) -> GarbageOut:
        """Remove what belongs to nobody."""
        return garbage.reclaim()


ROUTES = [
    (StorageResource, "/api/v1/storage"),
    (VerifyResource, "/api/v1/storage/verify"),
    (GarbageResource, "/api/v1/storage/garbage"),
]
