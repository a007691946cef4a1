"""Structured logs on standard output: readable text, or one JSON object per line. Secrets are not in them:
by the name of a field, by their shape, and by value where we know it (`integrations.redaction`)."""

import logging
import sys
from typing import Any

import structlog

from api.config import Settings
from integrations.redaction import learn, passwords_in, redact_all


def configure(settings: Settings) -> None:
    """Route structlog and the standard library's loggers to one formatter."""
    _learn(settings)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(),
            # The pretty traceback prints local variables, passwords among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    final: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,  # text before it is looked through
        _redact,
        renderer,
    ]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for name in ("httpx", "httpx2", "urllib3", "engineio", "socketio", "celery.redirected"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _learn(settings: Settings) -> None:
    """What this hub was told in confidence."""
    learn(settings.admin_password, *passwords_in(settings.database_url), *passwords_in(settings.redis_url))
    # Somebody else's random words, which an upstream's error may repeat.
    learn(settings.hf_token, settings.oidc_client_secret, settings.storage_secret_key, answers=True)


def _redact(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Secrets are never logged, not even by mistake."""
    hidden: dict[str, Any] = redact_all(event)
    return hidden
