"""The console, the API's description and its Swagger UI: files we serve ourselves, nothing from elsewhere."""

from pathlib import Path
from urllib.parse import unquote

from flask import Flask, Response, jsonify, redirect, send_from_directory
from werkzeug.exceptions import NotFound

from api.controllers.openapi import document

CONSOLE = Path(__file__).resolve().parents[2] / "console" / "dist"
SWAGGER = Path(__file__).resolve().parents[2] / "console" / "swagger"
YEAR = 365 * 24 * 3600

_NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>ModelHub</title>
<p>The hub runs. Its console is not built yet: run <code>make console</code>, then load this page again.
<p>The API is described at <a href="/api/docs">/api/docs</a>.
"""


def register(app: Flask) -> None:
    description = document(app)

    @app.get("/api/v1/openapi.json")
    def openapi() -> Response:
        return jsonify(description)

    @app.get("/api/docs")
    def docs() -> Response:
        return redirect("/api/docs/")  # type: ignore[return-value]

    @app.get("/api/docs/")
    @app.get("/api/docs/<path:name>")
    def docs_file(name: str = "index.html") -> Response:
        return send_from_directory(SWAGGER, name, max_age=3600)

    @app.get("/")
    @app.get("/<path:name>")
    def console(name: str = "") -> Response:
        """A file of the console, or its page for every address the console's router knows."""
        if unquote(name).split("/")[0] in ("api", "v1", "socket.io", "hf", "ollama", "metrics"):
            raise NotFound("There is no such address. The API is described at /api/docs.")
        if not (CONSOLE / "index.html").is_file():
            return Response(_NOT_BUILT, mimetype="text/html")
        if name and (CONSOLE / name).is_file():
            return send_from_directory(CONSOLE, name, max_age=YEAR if name.startswith("assets/") else 0)
        if name.startswith("assets/"):
            raise NotFound("This file is not part of the console. Reload the page.")
        return send_from_directory(CONSOLE, "index.html", max_age=0)
