"""The console, the API's description and its Swagger UI: files we serve ourselves, nothing from elsewhere."""

from pathlib import Path

import flask_swagger_ui
from flask import Flask, Response, jsonify, redirect, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.routing import PathConverter

from api.controllers.openapi import document

CONSOLE = Path(__file__).resolve().parents[2] / "console" / "dist"
SWAGGER = Path(flask_swagger_ui.__file__).with_name("dist")
YEAR = 365 * 24 * 3600

_NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>ModelHub</title>
<p>The hub runs. Its console is not built yet: run <code>make console</code>, then load this page again.
<p>The API is described at <a href="/api/docs">/api/docs</a>.
"""

# Only the package's files are used: its own page starts Swagger UI from an inline script, which our
# Content-Security-Policy refuses.
_DOCS_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>ModelHub API</title>
<link rel="stylesheet" href="swagger-ui.css"><link rel="icon" href="favicon-32x32.png">
<div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script><script src="start.js"></script></html>
"""
_DOCS_SCRIPT = """SwaggerUIBundle({
  url: "/api/v1/openapi.json", dom_id: "#swagger-ui", deepLinking: true, persistAuthorization: false,
  validatorUrl: null, // nobody elsewhere is asked what they think of this document
});
"""


class PageConverter(PathConverter):
    """Every address that is not the API's: the console's router decides what it means."""

    regex = r"(?!api/|v1/|socket\.io/|hf/|ollama/|metrics).+"


def register(app: Flask) -> None:
    app.url_map.converters["page"] = PageConverter
    description = document(app)

    @app.get("/api/v1/openapi.json")
    def openapi() -> Response:
        return jsonify(description)

    @app.get("/api/docs")
    def docs() -> Response:
        return redirect("/api/docs/")  # type: ignore[return-value]

    @app.get("/api/docs/")
    def docs_page() -> Response:
        return Response(_DOCS_PAGE, mimetype="text/html")

    @app.get("/api/docs/start.js")
    def docs_script() -> Response:
        return Response(_DOCS_SCRIPT, mimetype="text/javascript")

    @app.get("/api/docs/<path:name>")
    def docs_file(name: str) -> Response:
        return send_from_directory(SWAGGER, name, max_age=3600)

    @app.get("/")
    @app.get("/<page:name>")
    def console(name: str = "") -> Response:
        """A file of the console, or its page for every address the console's router knows."""
        if not (CONSOLE / "index.html").is_file():
            return Response(_NOT_BUILT, mimetype="text/html")
        if name and (CONSOLE / name).is_file():
            return send_from_directory(CONSOLE, name, max_age=YEAR if name.startswith("assets/") else 0)
        if name.startswith("assets/"):
            raise NotFound
        return send_from_directory(CONSOLE, "index.html", max_age=0)
