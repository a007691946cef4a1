"""Every URL of the API. Each module lists its own in `ROUTES`; this is the table of contents."""

import uuid
from typing import Any

import structlog
from flask import Flask, Response, g, request
from flask_cors import CORS
from flask_restful import Api as RestfulApi

from api.controllers import (
    account,
    audit,
    auth,
    chat,
    deployments,
    downloads,
    jobs,
    keys,
    models,
    openai,
    pages,
    roles,
    search,
    sso,
    system,
    teams,
    users,
)
from api.extensions import settings

MODULES = (
    auth, account, sso, users, roles, teams, keys, audit,
    search, downloads, models, deployments, chat, openai, jobs, system,
)  # fmt: skip


class Api(RestfulApi):
    """Flask-RESTful for routing only: every error stays with Flask, and so with `api.errors`."""

    def error_router(self, original_handler: Any, *args: Any) -> Any:
        return original_handler(*args)


def register(app: Flask) -> None:
    api = Api(app)
    for module in MODULES:
        for resource, url in module.ROUTES:
            name = f"{module.__name__}.{resource.__name__}:{url}"
            api.add_resource(resource, url, endpoint=name)
    pages.register(app)
    _headers(app)


def _headers(app: Flask) -> None:
    with app.app_context():
        public_url, origins = settings().public_url, settings().cors_origins
    if origins:
        CORS(app, origins=origins, supports_credentials=True, expose_headers=["X-Request-ID"])
    # Ant Design writes its styles at run time; scripts may only come from us.
    policy = "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: https:",
            "connect-src 'self' ws: wss:",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        )
    )

    @app.before_request
    def name_request() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = (
            given if given.isascii() and given.isprintable() and 0 < len(given) <= 64 else uuid.uuid4().hex
        )
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def harden(response: Response) -> Response:
        headers = response.headers
        headers["X-Request-ID"] = g.get("request_id", "")
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Content-Security-Policy", policy)
        if public_url and public_url.startswith("https://"):
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response
