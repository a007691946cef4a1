"""/storage: where the bytes are and what could be removed."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.storage import StorageOut
from api.security.authorise import current
from api.services import storage


class StorageResource(Resource):
    @contract("models.read", out=StorageOut)
    def get(self) -> StorageOut:
        """The hub's disks, what each kind of thing takes, what waits for room, what could be removed."""
        return storage.overview(current())


ROUTES = [
    (StorageResource, "/api/v1/storage"),
]
