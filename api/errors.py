"""Every way to say no, and the one place that answers.

    AppError                    what a service refuses
    ├── Invalid                 understood, and wrong
    ├── Unauthenticated         who are you?
    │   └── InvalidCredentials
    ├── Forbidden               not you
    ├── Missing                 there is no such thing (for you)
    ├── Conflict                not now: something else stands in the way
    │   └── StaleFence          somebody else owns this job now
    ├── TooMany                 slower, please: `details.retry_after` says when again
    └── Unavailable             a part of us is away

`integrations.errors` is the tree for the outside world. `describe` gives the same words to REST, to
sockets and to a job's row; only this file knows HTTP numbers.
"""

from datetime import UTC, datetime
from typing import Any

import structlog
from flask import Flask, Response, current_app, has_request_context, jsonify, request
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from integrations.errors import IntegrationError
from integrations.redaction import presentable

log = structlog.get_logger(__name__)


class AppError(Exception):
    """Base of the tree. `details` is JSON-serialisable and safe to show."""

    code = "BAD_REQUEST"

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = details or {}


class Invalid(AppError):
    code = "VALIDATION_FAILED"


class Unauthenticated(AppError):
    code = "UNAUTHENTICATED"


class InvalidCredentials(Unauthenticated):
    code = "INVALID_CREDENTIALS"


class Forbidden(AppError):
    code = "FORBIDDEN"


class Missing(AppError):
    code = "NOT_FOUND"


class Conflict(AppError):
    code = "CONFLICT"


class StaleFence(Conflict):
    code = "STALE_FENCE"


class TooMany(AppError):
    """`retry_after`: whole seconds until it is worth trying again."""

    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after: int, details: dict[str, Any] | None = None) -> None:
        super().__init__(message, details={"retry_after": retry_after, **(details or {})})


class Unavailable(AppError):
    code = "UNAVAILABLE"


HTTP_STATUS = {
    "BAD_REQUEST": 400,
    "VALIDATION_FAILED": 422,
    "UNAUTHENTICATED": 401,
    "INVALID_CREDENTIALS": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "MODEL_NOT_FOUND": 404,
    "CONFLICT": 409,
    "STALE_FENCE": 409,
    "TOO_MANY_REQUESTS": 429,
    "UNAVAILABLE": 503,
    "UNKNOWN_KIND": 422,
    "INVALID_REF": 422,
    "REVISION_NOT_FOUND": 404,
    "FILE_NOT_FOUND": 404,
    "ACCESS_DENIED": 403,
    "GATED_MODEL": 403,
    "UPSTREAM_UNREACHABLE": 502,
    "UPSTREAM_THROTTLED": 503,
    "OUT_OF_SPACE": 507,
    "CHECKSUM_MISMATCH": 502,
    "UNSUPPORTED": 422,
    "NOT_A_CAUSAL_LM": 422,
    "CHILD_FAILED": 502,
    "STOPPED": 409,
    "INTEGRATION_FAILED": 502,
    "INTERNAL": 500,
}

HUB_CODES = {
    "NOT_FOUND": "RepoNotFound",
    "REVISION_NOT_FOUND": "RevisionNotFound",
    "FILE_NOT_FOUND": "EntryNotFound",
    "GATED_MODEL": "GatedRepo",
}
"""What the Hugging Face Hub's clients know our codes as (`huggingface_hub.utils._http`)."""

_HTTP_MESSAGES = {
    404: "There is no such address. The API is described at /api/docs.",
    405: "This address does not offer this method. The Allow header names those it does.",
}
_HTTP_CODES = {400: "BAD_REQUEST", 404: "NOT_FOUND", 413: "TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE"}


def describe(error: BaseException) -> dict[str, Any]:
    """`{code, message, details}`: the same words for REST, for a job's row and for a socket."""
    if isinstance(error, AppError | IntegrationError):
        # What an upstream said may repeat what we sent it; this is shown, and kept in rows.
        return {"code": error.code, **presentable({"message": str(error), "details": error.details})}
    if isinstance(error, ValidationError):
        return {
            "code": Invalid.code,
            "message": _first_finding(error),
            "details": {"errors": findings(error)},
        }
    if isinstance(error, HTTPException):
        number = error.code or 500
        code = _HTTP_CODES.get(number, error.name.upper().replace(" ", "_"))
        message = _HTTP_MESSAGES.get(number) or error.description or error.name
        if number == 413 and has_request_context():
            message = f"The body is too large. At most {request.max_content_length} bytes are taken here."
        return {"code": code, "message": message, "details": {}}
    if isinstance(error, OperationalError):
        return {
            "code": Unavailable.code,
            "message": "The database did not answer in time. Try again; `modelhub doctor` checks it.",
            "details": {},
        }
    if isinstance(error, IntegrityError) and _lost_a_race(error):
        return {
            "code": Conflict.code,
            "message": "Somebody else changed the same thing at the same moment. Look again, then retry.",
            "details": {},
        }
    return {
        "code": "INTERNAL",
        "message": "Something went wrong on our side. The log has the details under this request's id.",
        "details": {},
    }


def _lost_a_race(error: IntegrityError) -> bool:
    """Somebody made the same, or removed what this refers to, since we looked. (NOT NULL is our bug.)"""
    words = str(error.orig).upper()
    return "UNIQUE" in words or "FOREIGN KEY" in words


def findings(error: ValidationError) -> list[dict[str, Any]]:
    """Field by field, without echoing the values that were sent."""
    return [
        {"loc": [str(part) for part in item["loc"]], "msg": item["msg"], "type": item["type"]}
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _first_finding(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def status_of(error: BaseException, code: str) -> int:
    if isinstance(error, HTTPException):
        return error.code or 500
    return HTTP_STATUS.get(code, 400)


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def problem_response(error: BaseException) -> Response:
    """The error envelope of `/api/v1`; `/v1` answers in OpenAI's shape, `/ollama` in Ollama's and
    `/hf` in the Hub's."""
    said = describe(error)
    status = status_of(error, said["code"])
    if request.path.startswith("/v1/"):
        status = 400 if status == 422 else status  # OpenAI's clients know no 422 for a wrong field
        body: dict[str, Any] = {"error": openai_error(said, status)}
    elif request.path.startswith("/ollama/") or request.path.startswith("/hf/"):
        status = 400 if status == 422 else status
        body = {"error": said["message"]}
    else:
        body = {
            "success": False,
            "message": said["message"],
            "error": said["code"],
            "details": said["details"],
            "timestamp": now_text(),
        }
    response = jsonify(body)
    response.status_code = status
    if request.path.startswith("/hf/"):
        plain = "".join(letter if " " <= letter <= "~" else "?" for letter in said["message"][:500])
        response.headers["X-Error-Message"] = plain
        if code := HUB_CODES.get(said["code"]):
            response.headers["X-Error-Code"] = code
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name.lower() in ("allow", "retry-after", "www-authenticate"):
                response.headers[name] = value
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        response.headers.setdefault("Retry-After", str(said["details"].get("retry_after", 5)))
    return response


def openai_error(said: dict[str, Any], status: int) -> dict[str, Any]:
    kinds = {
        401: "authentication_error",
        403: "permission_error",
        404: "invalid_request_error",
        429: "rate_limit_error",
    }
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"message": said["message"], "type": kind, "param": None, "code": said["code"].lower()}


def register(app: Flask) -> None:
    """One handler answers everything. Bugs surface in tests and stay private in production."""

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        said = describe(error)
        if said["code"] == "INTERNAL":
            log.exception("request failed", path=request.path, method=request.method)
            if current_app.testing:
                raise error
        return problem_response(error)
