"""/v1: the OpenAI dialect over every deployment that runs."""

from typing import Any

from flask import Response, current_app, request
from flask_restful import Resource

from api.controllers.contract import contract
from api.controllers.stream import still_there, while_allowed
from api.schemas.openai import ChatCompletionRequest, Completion, CompletionRequest, ModelEntry, ModelList
from api.security.authorise import current
from api.services import gateway

ERRORS = (404, 429, 502)
SSE = "text/event-stream"


class ChatCompletionsResource(Resource):
    @contract(
        "chat.use", body=ChatCompletionRequest, out=Completion, envelope=False, streams=SSE, errors=ERRORS
    )
    def post(self, body: ChatCompletionRequest) -> Response:
        """Answer a conversation, whole or streamed."""
        return _relayed(gateway.CHAT)


class CompletionsResource(Resource):
    @contract("chat.use", body=CompletionRequest, out=Completion, envelope=False, streams=SSE, errors=ERRORS)
    def post(self, body: CompletionRequest) -> Response:
        """Continue a text, whole or streamed."""
        return _relayed(gateway.COMPLETIONS)


class ModelsResource(Resource):
    @contract("chat.use", out=ModelList, envelope=False)
    def get(self) -> ModelList:
        """The deployments that can be asked now."""
        return ModelList(data=[_entry(row) for row in gateway.running(current())])


class ModelResource(Resource):
    @contract("chat.use", out=ModelEntry, envelope=False)
    def get(self, name: str) -> ModelEntry:
        """One deployment that can be asked now."""
        found = gateway.route(name, current())
        return next(_entry(row) for row in gateway.running(current()) if row.id == found.id)


def _entry(row: Any) -> ModelEntry:
    return ModelEntry(id=row.name, created=int(row.created_at.timestamp()))


def _relayed(path: str) -> Response:
    answer = gateway.complete(path, request.get_json(), request.get_data(), current(), still_there())
    body = answer.body
    if not isinstance(body, bytes):
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        body = while_allowed(app, current(), body)
    response = Response(body, status=answer.status, content_type=answer.content_type, direct_passthrough=True)
    if answer.content_type == SSE:
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Accel-Buffering"] = "no"
    return response


ROUTES = [
    (ChatCompletionsResource, "/v1/chat/completions"),
    (CompletionsResource, "/v1/completions"),
    (ModelsResource, "/v1/models"),
    (ModelResource, "/v1/models/<path:name>"),
]
