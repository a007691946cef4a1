"""What a route says about itself: who may call it, what it takes, what it gives, how it refuses.

The decorator checks all of that and is the source of the OpenAPI document. A method without a contract
does not start (`api.controllers.openapi`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from flask import Response, jsonify, make_response, request
from pydantic import BaseModel
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from api.errors import now_text
from api.extensions import db
from api.schemas.base import Body
from api.security.limits import admit
from api.security.permissions import Permission

STRANGERS_BODY = 64 * 1024
"""Bytes that are read from whoever has not shown who he is."""

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Contract:
    permission: Permission
    summary: str
    body: type[Body] | None = None
    query: type[Body] | None = None
    out: Any = None
    status: int = 200
    errors: tuple[int, ...] = ()
    streams: str | None = None
    envelope: bool = True
    raw: int | None = None
    headers: tuple[str, ...] = ()
    tags: tuple[str, ...] = field(default=())


def contract(
    permission: Permission,
    *,
    body: type[Body] | None = None,
    query: type[Body] | None = None,
    out: Any = None,
    status: int = 200,
    errors: tuple[int, ...] = (),
    streams: str | None = None,
    envelope: bool = True,
    raw: int | None = None,
    headers: tuple[str, ...] = (),
    message: str = "OK",
) -> Callable[[Method], Method]:
    """Declare a method of a `Resource`.

    `out` is the pydantic type of `data`; a method returns something that validates into it, or a `Response`
    of its own (`streams` names its media type). `errors` are the statuses beyond those that follow from
    the rest (401/403 unless public, 400/415/422 with a body, 422 with a query). `raw`: the body is bytes, at
    most so many, which the method reads itself (`request.stream`); `headers` are those it asks for.
    """

    def declare(method: Method) -> Method:
        summary = (method.__doc__ or "").strip()

        @wraps(method)
        def call(self: Any, **path: Any) -> Response:
            admit(permission)
            if query is not None:
                path["query"] = query.model_validate(_query_values())
            if body is not None:
                if permission == "public":
                    request.max_content_length = STRANGERS_BODY
                path["body"] = body.model_validate(_json_body())
            if raw is not None:
                # A stream that is read to exactly its limit counts as cut off there: one byte more is let in.
                request.max_content_length = raw + ((request.content_length or 0) <= raw)
                if request.is_json or request.mimetype in FORMS:
                    raise UnsupportedMediaType("Send the bytes as they are: application/octet-stream.")
            try:
                answer = method(self, **path)
            finally:
                # A read leaves its transaction open; end it so that no connection is held while bytes go out.
                if not streams:
                    db.session.rollback()
            if isinstance(answer, Response):
                return answer
            return _answer(answer, out, status, message, envelope)

        call.contract = Contract(  # type: ignore[attr-defined]
            permission, summary, body, query, out, status, errors, streams, envelope, raw, headers
        )
        return call  # type: ignore[return-value]

    return declare


def answered(answer: BaseModel) -> Response:
    """The usual answer, for a method that adds headers to it."""
    return _answer(answer, None, 200, "OK", True)


def _answer(answer: Any, out: Any, status: int, message: str, envelope: bool) -> Response:
    data: Any = answer
    if isinstance(answer, BaseModel):
        data = answer.model_dump(mode="json")
    elif out is not None and answer is not None:
        data = out.model_validate(answer).model_dump(mode="json")
    if envelope:
        data = {
            "success": True,
            "message": message,
            "data": data if data is not None else {},
            "code": status,
            "timestamp": now_text(),
        }
    return make_response(jsonify(data), status)


def _query_values() -> dict[str, Any]:
    if b"%00" in request.query_string or b"\0" in request.query_string:
        raise BadRequest("The query has a NUL character. Leave it out.")
    return {
        name: values if len(values) > 1 else values[0]
        for name, values in request.args.to_dict(flat=False).items()
    }


def _json_body() -> Any:
    # Ollama never looks at the type, and its users' `curl -d` says that it is a form.
    if request.path.startswith("/ollama/"):
        return request.get_json(force=True)
    if request.path.startswith("/hf/") and request.mimetype in FORMS:
        return {name: request.form.getlist(name) for name in request.form}  # as huggingface_hub asks
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON: the Content-Type must be application/json.")
    return request.get_json()
