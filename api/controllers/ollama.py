"""/ollama of our API: the Ollama server beside this hub. (`ollama_api` is us speaking as one.)"""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.base import Empty
from api.schemas.jobs import JobOut
from api.schemas.ollama import OllamaCopy, OllamaCreate, OllamaModelShown, OllamaStatus
from api.security.authorise import current
from api.services import ollama, ollama_making


class OllamaResource(Resource):
    @contract("models.read", out=OllamaStatus)
    def get(self) -> OllamaStatus:
        """The Ollama server: version, what it holds, what it has in memory; or why it cannot be reached."""
        return ollama.status(current())


class OllamaModelsResource(Resource):
    @contract("ollama.manage", body=OllamaCreate, out=JobOut, status=202, errors=(404, 409, 502))
    def post(self, body: OllamaCreate) -> JobOut:
        """Make a model on the Ollama server of a model or adapter of the library. It is a job."""
        return ollama_making.request(body, current())


class OllamaModelResource(Resource):
    @contract("models.read", out=OllamaModelShown, errors=(403, 422, 502))
    def get(self, name: str) -> OllamaModelShown:
        """One model of the Ollama server: details, parameters, template, licence."""
        return ollama.show(name)

    @contract("ollama.manage", out=Empty, errors=(422, 502))
    def delete(self, name: str) -> None:
        """Delete a model on the Ollama server."""
        ollama.delete(name)


class OllamaCopyResource(Resource):
    @contract("ollama.manage", body=OllamaCopy, out=Empty, errors=(502,))
    def post(self, name: str, body: OllamaCopy) -> None:
        """Give a model of the Ollama server a second name."""
        ollama.copy(name, body)


ROUTES = [
    (OllamaResource, "/api/v1/ollama"),
    (OllamaModelsResource, "/api/v1/ollama/models"),
    (OllamaCopyResource, "/api/v1/ollama/models/<path:name>/copy"),
    (OllamaModelResource, "/api/v1/ollama/models/<path:name>"),
]
