"""`modelhub ollama` against a whole hub in one process, and an Ollama server beside it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from api.extensions import db, settings
from api.services import fetching, jobs, ollama_making
from tests.cli.conftest import Terminal
from tests.support.ollama_server import OllamaServer, library_model


@pytest.fixture
def server(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaServer]:
    with OllamaServer(tmp_path / "ollama") as running:
        running.registry["tiny:1b"] = library_model(50_000)
        settings().ollama_host = running.url
        monkeypatch.setenv("OLLAMA_HOST", running.url)
        yield running


@pytest.fixture
def hub(
    app: Flask, token: str, server: OllamaServer, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The real application over HTTP; its jobs are run as a worker would, each in a thread."""
    runs = {"download": fetching.run, "ollama_create": ollama_making.run}

    def work(job_id: str, kind: str) -> None:
        with app.app_context():
            try:
                runs[kind](job_id)
            finally:
                db.session.remove()

    monkeypatch.setattr(jobs, "ring", lambda id, kind: threading.Thread(target=work, args=(id, kind)).start())
    web = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{web.server_port}"
    terminal.is_local(url, token)
    yield url
    web.shutdown()


def test_from_pull_to_rm(hub: str, server: OllamaServer, terminal: Terminal) -> None:
    def run(*words: str, **more: Any) -> Any:
        return terminal.run(*words, "--hub", hub, **more)

    pulled = run("pull", "ollama:tiny:1b")
    assert pulled.code == 0 and "tiny:1b is on the Ollama server" in pulled.out, pulled
    listed = run("ollama")
    assert "tiny:1b" in listed.out and "Q8_0" in listed.out and "yes" in listed.out
    assert run("ollama", "show", "tiny:1b", "--json").json["context_length"] == 131_072
    assert run("ollama", "show", "tiny:1b", "--license").out.startswith("Apache License")
    assert run("ollama", "cp", "tiny:1b", "second").code == 0
    assert run("ollama", "rm", "second").code == 2, "nobody to ask"
    assert run("ollama", "rm", "second", "--yes").code == 0 and "second:latest" not in server.store.models
    assert run("ollama", "show", "second").code == 5
    said = run("deploy", "tiny:1b")
    assert said.code == 1 and "lies on the Ollama server" in said.err
    removed = run("rm", "tiny:1b", "--on-server", "--yes")
    assert removed.code == 0 and not server.store.models


def test_create(app: Flask, hub: str, server: OllamaServer, terminal: Terminal) -> None:
    from tests.services.test_ollama_entries import GGUF, shelve

    shelve("mine", {"mine.gguf": GGUF})
    db.session.rollback()
    words = (
        "ollama",
        "create",
        "made",
        "mine",
        "--system",
        "Be brief.",
        "-p",
        "temperature=0.5",
        "-p",
        "stop=#",
    )
    made = terminal.run(*words, "--hub", hub)
    assert made.code == 0 and "made is on the Ollama server: 3.0 MB" in made.out, made
    asked = server.requests("/api/create")[-1]["body"]
    assert asked["parameters"] == {"temperature": 0.5, "stop": ["#"]} and asked["system"] == "Be brief."
    server.trouble.old = True
    refused = terminal.run("ollama", "create", "made", "mine", "--hub", hub)
    assert refused.code == 1 and "too old" in refused.err
    assert terminal.run("ollama", "create", "x", "mine", "-p", "nonsense", "--hub", hub).code == 2


def test_no_server(hub: str, server: OllamaServer, terminal: Terminal) -> None:
    server.stop()
    said = terminal.run("ollama", "--hub", hub)
    assert said.code == 1 and "No Ollama server answers" in said.err
