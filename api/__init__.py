"""The Flask application. `create_app` builds it; importing this package alone costs nothing, so that beat and
scripts can read `api.config` without loading the web."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from api.config import Settings


def create_app(settings: "Settings | None" = None, *, serves: bool = True) -> "Flask":
    """Build the application; `serves=False` (worker, scripts) leaves out routes and incoming sockets."""
    from api.app import build

    return build(settings, serves=serves)
