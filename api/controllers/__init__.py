"""Every URL of the API. Each module lists its own in `ROUTES`; this is the table of contents."""

from typing import Any

from flask import Flask
from flask_restful import Api as RestfulApi

from api.controllers import (
    account,
    audit,
    auth,
    chat,
    deployments,
    downloads,
    folders,
    headers,
    hub,
    jobs,
    keys,
    models,
    ollama,
    ollama_api,
    openai,
    pages,
    quarantine,
    roles,
    search,
    settings,
    sso,
    storage,
    system,
    teams,
    uploads,
    users,
)

MODULES = (
    auth, account, sso, users, roles, teams, keys, audit,
    quarantine,
    search, downloads, uploads, folders, storage, settings, models, ollama, deployments, chat, openai,
    ollama_api, hub, jobs, system,
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
    headers.register(app)
