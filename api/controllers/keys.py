"""/api-keys: credentials for programs."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.access import ApiKeyMade, ApiKeyOut, ApiKeyQuery, ApiKeyRequest
from api.schemas.base import Page
from api.security.authorise import current
from api.services import api_keys


class ApiKeysResource(Resource):
    @contract("signed_in", query=ApiKeyQuery, out=Page[ApiKeyOut])
    def get(self, query: ApiKeyQuery) -> Page[ApiKeyOut]:
        """One's own API keys, newest first; everybody's with `all=true` and `users.manage`."""
        return api_keys.list_keys(query, current())

    @contract(
        "keys.use",
        body=ApiKeyRequest,
        out=ApiKeyMade,
        status=201,
        errors=(409,),
        message="This key is shown only this once. Keep it in a safe place.",
    )
    def post(self, body: ApiKeyRequest) -> ApiKeyMade:
        """Make an API key; the answer is the only one that contains it."""
        return api_keys.create(body, current())


class ApiKeyResource(Resource):
    @contract("signed_in", out=ApiKeyOut)
    def get(self, key_id: str) -> ApiKeyOut:
        """One API key, without the key itself."""
        return api_keys.get(key_id, current())

    @contract("signed_in", out=ApiKeyOut, message="Revoked.")
    def delete(self, key_id: str) -> ApiKeyOut:
        """Revoke a key: its next use is refused. One's own, or anybody's with `users.manage`."""
        return api_keys.revoke(key_id, current())


ROUTES = [
    (ApiKeysResource, "/api/v1/api-keys"),
    (ApiKeyResource, "/api/v1/api-keys/<key_id>"),
]
