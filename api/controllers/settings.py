"""/settings: what is set while the hub runs."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.settings import TransferSettings, TransferSettingsOut
from api.security.authorise import current
from api.services import transfers


class TransfersResource(Resource):
    @contract("settings.manage", out=TransferSettingsOut)
    def get(self) -> TransferSettingsOut:
        """How fast the hub downloads, how many at once, and when."""
        return transfers.get()

    @contract("settings.manage", body=TransferSettings, out=TransferSettingsOut)
    def put(self, body: TransferSettings) -> TransferSettingsOut:
        """Set all of it at once; it holds for running downloads too."""
        return transfers.put(body, current())


ROUTES = [
    (TransfersResource, "/api/v1/settings/transfers"),
]
