"""The application is put together here: extensions, errors, controllers, sockets; nothing else."""

from typing import Any

import socketio as python_socketio
from flask import Flask

from api import errors
from api.broker import celery_options
from api.config import Settings
from api.database import engine_options, prepare_engine
from api.extensions import celery, db, socketio
from api.logs import configure as configure_logs
from api.security.keys import Keyring
from integrations import permitted


def build(settings: Settings | None = None, *, serves: bool = True) -> Flask:
    """Build the application.

    `serves=False` (worker, beat, scripts) leaves out routes and incoming sockets.
    """
    settings = settings or Settings()
    settings.make_directories()
    configure_logs(settings)
    permitted.say(settings.permitted)
    app = Flask("api", static_folder=None)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.sqlalchemy_url),
        MAX_CONTENT_LENGTH=settings.max_body,
        RESTFUL_JSON={"ensure_ascii": False},
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["modelhub_settings"] = settings
    app.extensions["modelhub_keyring"] = Keyring(settings.home)
    _bind_database(app)
    _bind_celery(settings)
    _bind_sockets(app, settings, serves)
    errors.register(app)
    import api.services.listeners  # noqa: F401 - services follow their jobs

    if serves:
        from api import controllers, websockets
        from api.controllers.json_body import JsonRequest
        from api.security import limits

        app.request_class = JsonRequest
        controllers.register(app)
        limits.register(app)
        websockets.register(socketio)
    return app


def _bind_database(app: Flask) -> None:
    db.init_app(app)
    import api.models  # noqa: F401 - the tables register themselves

    with app.app_context():
        prepare_engine(db.engine)


def _bind_celery(settings: Settings) -> None:
    celery.conf.update(celery_options(settings))
    celery.set_default()


def _bind_sockets(app: Flask, settings: Settings, serves: bool) -> None:
    options: dict[str, Any] = {"socket_timeout": 5, "socket_connect_timeout": 2} if not serves else {}
    manager = python_socketio.RedisManager(
        settings.redis, channel="modelhub", write_only=not serves, redis_options=options
    )
    origins: Any = None
    if serves:
        from api.controllers.headers import origin_allowed as origins
    socketio.init_app(
        app if serves else None,
        async_mode=_async_mode() if serves else "threading",
        transports=["websocket"],
        client_manager=manager,
        cors_allowed_origins=origins,
        ping_interval=20,
        ping_timeout=20,
        max_http_buffer_size=1_000_000,
    )


def _async_mode() -> str:
    try:
        from gevent.monkey import is_module_patched
    except ImportError:
        return "threading"
    return "gevent" if is_module_patched("socket") else "threading"
