"""The OpenAPI 3.1 document, read off the contracts of the routes."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask_restful import Resource
from pydantic import TypeAdapter
from werkzeug.routing import Rule

from api.config import VERSION
from api.controllers.contract import Contract
from api.schemas.base import Problem

_REF = "#/components/schemas/{model}"
DIALECTS = ("/v1/", "/ollama/", "/hf/")
"""Where another server's dialect is spoken: its shapes, its errors."""
_TEXT = {
    400: "The body is not valid JSON, text has a NUL character, or a header is malformed.",
    401: "Not signed in.",
    403: "Not allowed.",
    404: "There is no such thing.",
    405: "This method is not offered here.",
    409: "Something else stands in the way.",
    413: "Too large.",
    414: "The address is too long.",
    415: "Not JSON.",
    422: "Understood, and wrong.",
    429: "Too many requests.",
    502: "The other side did not answer as it should.",
    503: "A part of the hub is away.",
    507: "Not enough disk.",
}


def contracts(app: Flask) -> Iterator[tuple[Rule, str, Contract]]:
    """Every route of the API with its method and contract; a method without one stops the start."""
    for rule in app.url_map.iter_rules():
        view = getattr(app.view_functions[rule.endpoint], "view_class", None)
        if view is None or not issubclass(view, Resource):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            declared = getattr(getattr(view, method.lower()), "contract", None)
            if declared is None:
                raise RuntimeError(f"{method} {rule.rule} declares no contract: who may call it?")
            yield rule, method, declared


def document(app: Flask) -> dict[str, Any]:
    """The whole API as an OpenAPI 3.1 document."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for rule, method, declared in contracts(app):
        path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        paths.setdefault(path, {})[method.lower()] = _operation(rule, path, method, declared, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ModelHub",
            "version": VERSION,
            "description": "Bring models in, deploy them, chat with them.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schema(type_: Any, schemas: dict[str, Any], mode: Any) -> dict[str, Any]:
    schema = TypeAdapter(type_).json_schema(ref_template=_REF, mode=mode)
    schemas.update(schema.pop("$defs", {}))
    title = schema.get("title")
    if not title or schema.get("type") != "object":
        return schema
    name = re.sub(r"\W+", "_", title).strip("_")
    schemas[name] = schema
    return {"$ref": _REF.format(model=name)}


def _operation(
    rule: Rule, path: str, method: str, declared: Contract, schemas: dict[str, Any]
) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in sorted(rule.arguments)
    ]
    if declared.query is not None:
        parameters += _query_parameters(declared.query, schemas)
    parameters += [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
        for name in declared.headers
    ]
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{method.lower()}_{path}").strip("_"),
        "summary": declared.summary,
        "tags": [_tag(path)],
        "x-permission": declared.permission,
        "parameters": parameters,
        "responses": _responses(rule, declared, schemas),
    }
    if declared.body is not None:
        schema = _schema(declared.body, schemas, "validation")
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if declared.raw is not None:
        octets = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": False, "content": {"application/octet-stream": octets}}
    if declared.permission != "public":
        operation["security"] = [{"bearer": []}]
    return operation


def _tag(path: str) -> str:
    parts = [part for part in path.removeprefix("/api/v1").split("/") if part and not part.startswith("{")]
    return "openai" if path.startswith("/v1") else (parts[0] if parts else "system")


def _query_parameters(query: Any, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(ref_template=_REF)
    schemas.update(schema.get("$defs", {}))
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """An absent query parameter is absent, not null: `?x=null` would be the text 'null'."""
    options = [item for item in field.get("anyOf", []) if item.get("type") != "null"]
    if len(options) != 1:
        return field
    rest = {key: value for key, value in field.items() if key not in ("anyOf", "default")}
    return {**options[0], **rest}


def _responses(rule: Rule, declared: Contract, schemas: dict[str, Any]) -> dict[str, Any]:
    streams = {each: _streamed(each) for each in (declared.streams or "").split(", ") if each}
    good: dict[str, Any] = {"description": "Success"}
    if declared.out is not None or declared.envelope:
        inner = (
            _schema(declared.out, schemas, "serialization")
            if declared.out is not None
            else {"type": "object"}
        )
        schema = _enveloped(inner) if declared.envelope else inner
        good["content"] = {"application/json": {"schema": schema}}
        # What is made is answered 201; a stream of its making has begun and so is 200.
        if declared.status == 200:
            good["content"] |= streams
    elif streams:
        good["content"] = streams
    statuses = {400, *declared.errors}  # a Host header that is no host's name, for one
    statuses |= {401, 403} if declared.permission != "public" else set()
    statuses |= {413, 415, 422} if declared.body is not None or declared.raw is not None else set()
    statuses |= {414, 422} if declared.query is not None else set()
    statuses |= {404, 414} if rule.arguments else set()
    statuses |= {429, 503}
    foreign = rule.rule.startswith(DIALECTS)
    if foreign:
        statuses.discard(422)  # other servers' dialects say 400 for a wrong field
    problem = _schema(Problem, schemas, "serialization")
    bad = {
        str(status): {
            "description": _TEXT.get(status, "Refused."),
            "content": {"application/json": {"schema": problem if not foreign else {"type": "object"}}},
        }
        for status in sorted(statuses)
    }
    if declared.out is not None and not declared.envelope and not foreign:
        bad["503"]["content"] = good["content"]  # /readyz names its parts also when one is away
    begun = {"200": {"description": "Success", "content": streams}} if streams else {}
    return {**begun, str(declared.status): good, **bad}


def _streamed(media: str) -> dict[str, Any]:
    """Server-sent events are described in docs/chat.md: OpenAPI 3.1 has no word for a sequence. JSON that is
    another server's dialect is described there."""
    foreign = media in ("text/event-stream", "application/json")
    return {} if foreign else {"schema": {"type": "string"}}


def _enveloped(inner: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["success", "message", "data", "code", "timestamp"],
        "properties": {
            "success": {"const": True},
            "message": {"type": "string"},
            "data": inner,
            "code": {"type": "integer"},
            "timestamp": {"type": "string", "format": "date-time"},
        },
    }
