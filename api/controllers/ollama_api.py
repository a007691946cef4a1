"""/ollama: Ollama's dialect over every deployment that runs, so that its clients work with this hub as they
are: `OLLAMA_HOST=http://hub:5000/ollama`, an API key as Bearer. Reading and asking only."""

from collections.abc import Iterator

from flask import Response, current_app
from flask_restful import Resource

from api.controllers.contract import contract
from api.controllers.stream import still_there, while_allowed
from api.errors import Forbidden, Invalid
from api.schemas.ollama_api import (
    OllamaAnswer,
    OllamaChatRequest,
    OllamaGenerateRequest,
    OllamaProcesses,
    OllamaShow,
    OllamaShowRequest,
    OllamaTags,
    OllamaVersion,
)
from api.security.authorise import current
from api.services import ollama_api
from api.services.gateway import Answer

NDJSON = "application/x-ndjson"
ERRORS = (404, 502)


class RootResource(Resource):
    @contract("public", envelope=False, streams="text/plain")
    def get(self) -> Response:
        """What Ollama's clients look for: it runs."""
        return Response("Ollama is running", content_type="text/plain; charset=utf-8")


class VersionResource(Resource):
    @contract("chat.use", out=OllamaVersion, envelope=False)
    def get(self) -> OllamaVersion:
        """The version of Ollama's API that is spoken here."""
        return ollama_api.version()


class TagsResource(Resource):
    @contract("chat.use", out=OllamaTags, envelope=False)
    def get(self) -> OllamaTags:
        """The deployments that can be asked now, as Ollama lists models."""
        return ollama_api.tags(current())


class ProcessesResource(Resource):
    @contract("chat.use", out=OllamaProcesses, envelope=False)
    def get(self) -> OllamaProcesses:
        """The same, as Ollama lists what is in memory."""
        return ollama_api.processes(current())


class ShowResource(Resource):
    @contract("chat.use", body=OllamaShowRequest, out=OllamaShow, envelope=False, errors=(404,))
    def post(self, body: OllamaShowRequest) -> OllamaShow:
        """One deployment with what is known of its model."""
        return ollama_api.show(body.model or body.name, current())


class ChatResource(Resource):
    @contract(
        "chat.use", body=OllamaChatRequest, out=OllamaAnswer, envelope=False, streams=NDJSON, errors=ERRORS
    )
    def post(self, body: OllamaChatRequest) -> Response:
        """Answer a conversation; streamed as lines of JSON unless `stream` is false."""
        return _told(ollama_api.chat(body, current(), still_there(), _guard))


class GenerateResource(Resource):
    @contract(
        "chat.use",
        body=OllamaGenerateRequest,
        out=OllamaAnswer,
        envelope=False,
        streams=NDJSON,
        errors=ERRORS,
    )
    def post(self, body: OllamaGenerateRequest) -> Response:
        """Answer a prompt; streamed as lines of JSON unless `stream` is false."""
        return _told(ollama_api.generate(body, current(), still_there(), _guard))


class EmbedResource(Resource):
    @contract("chat.use", envelope=False)
    def post(self) -> None:
        """Refused: no engine of this hub makes embeddings."""
        raise Invalid("This hub makes no embeddings: its engines only write text.")


class WritingResource(Resource):
    """Everything that would change the models: ModelHub has its own ways, with their own permissions."""

    @contract("chat.use", envelope=False)
    def post(self, **_: str) -> None:
        """Refused: models come and go through ModelHub's own API."""
        raise _refusal()

    @contract("chat.use", envelope=False)
    def delete(self, **_: str) -> None:
        """Refused: models come and go through ModelHub's own API."""
        raise _refusal()


def _refusal() -> Forbidden:
    return Forbidden(
        "This is a ModelHub: its models are not changed through Ollama's API. Bring models in with "
        "`modelhub pull` "
        "or the console, deploy them with `modelhub run`."
    )


def _guard(frames: Iterator[bytes]) -> Iterator[bytes]:
    return while_allowed(current_app._get_current_object(), current(), frames)  # type: ignore[attr-defined]


def _told(answer: Answer) -> Response:
    response = Response(
        answer.body, status=answer.status, content_type=answer.content_type, direct_passthrough=True
    )
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    return response


ROUTES = [
    (RootResource, "/ollama/"),
    (VersionResource, "/ollama/api/version"),
    (TagsResource, "/ollama/api/tags"),
    (ProcessesResource, "/ollama/api/ps"),
    (ShowResource, "/ollama/api/show"),
    (ChatResource, "/ollama/api/chat"),
    (GenerateResource, "/ollama/api/generate"),
    (EmbedResource, "/ollama/api/embed"),
    (EmbedResource, "/ollama/api/embeddings"),
    *((WritingResource, f"/ollama/api/{verb}") for verb in ("pull", "push", "create", "copy", "delete")),
    (WritingResource, "/ollama/api/blobs/<digest>"),
]
