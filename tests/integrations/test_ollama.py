"""The Ollama server, through the real client. With MODELHUB_TEST_OLLAMA_HOST also a real one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.errors import InvalidRef, NotFound, OutOfSpace, Unreachable, Unsupported
from integrations.ollama import Server, full_name
from integrations.ollama.facts import license_name
from integrations.sources import SOURCES
from integrations.sources.base import SearchQuery
from tests.support.hub_process import free_port
from tests.support.ollama_server import OllamaServer, library_model

REAL = os.environ.get("MODELHUB_TEST_OLLAMA_HOST")
MODEL = os.environ.get("MODELHUB_TEST_OLLAMA_MODEL", "all-minilm:22m" if REAL else "tiny:1b")
source = SOURCES["ollama"]


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaServer]:
    with OllamaServer(tmp_path / "ollama") as running:
        running.registry["tiny:1b"] = library_model(200_000)
        monkeypatch.setenv("OLLAMA_HOST", running.url)
        yield running


@pytest.fixture
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The real server when there is one, else the stand-in."""
    if REAL:
        monkeypatch.setenv("OLLAMA_HOST", REAL)
    else:
        request.getfixturevalue("standin")
    with Server() as asked:
        yield asked


def test_a_model_is_pulled_shown_copied_and_deleted(server: Server) -> None:
    steps = list(server.pull(MODEL))
    assert steps[0].status == "pulling manifest"
    assert [step.status for step in steps[-3:]] == ["verifying sha256 digest", "writing manifest", "success"]
    layers = {step.digest: step for step in steps if step.digest}
    assert all(
        step.completed == step.total and step.status.startswith("pulling ") for step in layers.values()
    )

    held = server.find(MODEL)
    assert len(held.digest) == 64 and held.size >= max(step.total or 0 for step in layers.values())
    shown = server.show(MODEL)
    assert shown.family and shown.parameters and shown.quantization == held.quantization
    assert server.version() and isinstance(server.running(), list)

    server.copy(MODEL, "modelhub-copy:test")
    assert server.find("modelhub-copy:test").digest
    server.delete("modelhub-copy:test")
    with pytest.raises(NotFound, match="does not hold"):
        server.find("modelhub-copy:test")
    for act in (server.show, server.delete, lambda name: server.copy(name, "x")):
        with pytest.raises(NotFound, match="no such model"):
            act("modelhub-nothing:here")


def test_a_name_that_does_not_exist(server: Server) -> None:
    with pytest.raises(NotFound, match="library has no such model"):
        list(server.pull("modelhub-there-is-no-such-model:1"))


def test_a_search_shows_what_is_held_and_what_was_typed(standin: OllamaServer) -> None:
    server = Server()
    list(server.pull("tiny:1b"))
    items = source.search(SearchQuery(text="tiny")).items
    assert [item.ref for item in items] == ["tiny:1b", "tiny:latest"]
    assert items[0].size and "Not on the server" in (items[1].description or "")
    assert [item.ref for item in source.search(SearchQuery(text="tiny:1b")).items] == ["tiny:1b"]
    assert source.search(SearchQuery(text="two words")).items == []
    card = source.card("tiny:1b", None)
    assert "Apache License" in card.text and card.metadata["license"] == "apache-2.0"
    assert "does not hold" in source.card("other", None).text
    assert {each.name for each in source.revisions("tiny")} == {"latest", "1b"}
    assert source.listing("tiny", "1b").commit == server.find("tiny:1b").digest


def test_a_plan_lies_on_the_server(standin: OllamaServer) -> None:
    plan = source.plan("tiny", "1b", None, None)
    assert (plan.ref, plan.location, plan.files, plan.commit) == ("tiny:1b", "ollama", [], "")
    with pytest.raises(Unsupported, match="as a whole"):
        source.plan("tiny", None, ["*.gguf"], None)


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("llama3.2", "llama3.2:latest"),
        ("llama3.2:1b", "llama3.2:1b"),
        ("library/llama3.2", "llama3.2:latest"),
        ("registry.ollama.ai/library/llama3.2:1b", "llama3.2:1b"),
        ("someone/model:tag", "someone/model:tag"),
        ("hf.co/owner/Model-GGUF:Q4_K_M", "hf.co/owner/Model-GGUF:Q4_K_M"),
    ],
)
def test_names(given: str, full: str) -> None:
    assert full_name(given) == full == full_name(full)


@pytest.mark.parametrize(
    "given",
    [
        *(
            "",
            " ",
            "a b",
            "../x",
            "a/../b",
            "a:b:c",
            "http://x/y/z",
            "a\n",
            "x" * 400,
            "a/b/c/d",
            "-x",
            "a:../b",
        ),
        *("127.0.0.1:8080/a/b", "metadata.internal/a/b", "10.0.0.1/a/b:1", "evil.example/a/b"),
    ],
)
def test_names_that_are_none_or_lead_elsewhere(given: str) -> None:
    with pytest.raises(InvalidRef):
        full_name(given)


def test_an_administrator_can_allow_a_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELHUB_OUTBOUND_ORIGINS", '["https://registry.example:8443"]')
    assert full_name("registry.example:8443/a/b") == "registry.example:8443/a/b:latest"


def test_a_server_that_is_absent() -> None:
    with pytest.raises(Unreachable, match=r"No Ollama server answers at http://127\.0\.0\.1"):
        Server(f"127.0.0.1:{free_port()}").models()
    with pytest.raises(Unreachable, match="No Ollama server answers"):
        list(Server(f"127.0.0.1:{free_port()}").pull("tiny"))


def test_an_address_that_is_none() -> None:
    with pytest.raises(InvalidRef, match="OLLAMA_HOST is set to 'http://x:y', which is no address"):
        Server("http://x:y")


def test_a_server_that_is_old(standin: OllamaServer) -> None:
    standin.trouble.old = True
    with Server() as server:
        assert server.version() == "0.1.30"
        with pytest.raises(Unsupported, match=r"too old for this.*Update Ollama"):
            server.running()
        with pytest.raises(Unsupported, match="too old"):
            list(server.create("x", files={}, from_="tiny"))


def test_a_server_that_is_slow(standin: OllamaServer) -> None:
    standin.trouble.silent = 1.0
    with Server(patience=0.2) as server, pytest.raises(Unreachable, match=r"not answered for 0\.2 seconds"):
        server.models()


def test_a_server_without_room(standin: OllamaServer) -> None:
    standin.trouble.room = 100_000
    with Server() as server, pytest.raises(OutOfSpace, match="no room left on its disk") as full:
        list(server.pull("tiny:1b"))
    assert "no space left on device" in full.value.details["said"]


def test_a_server_that_breaks_off(standin: OllamaServer) -> None:
    standin.trouble.dies_at = 50_000
    with Server() as server, pytest.raises(Unreachable, match="broke off in the middle"):
        list(server.pull("tiny:1b"))


def test_a_server_without_its_registry(standin: OllamaServer) -> None:
    standin.trouble.registry_away = True
    with Server() as server, pytest.raises(Unreachable, match="could not reach where the model comes from"):
        list(server.pull("tiny:1b"))


def test_what_is_no_ollama(hub_of_strangers: str) -> None:
    with Server(hub_of_strangers) as server, pytest.raises(Unreachable, match="does not speak as Ollama"):
        server.models()


@pytest.fixture
def hub_of_strangers() -> Iterator[str]:
    import http.server
    import threading

    class Stranger(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_key_for_ollama_com_does_not_go_to_this_server(
    standin: OllamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The headers and the raw request are private names of the client's: an update that moves them fails."""
    monkeypatch.setenv("OLLAMA_API_KEY", "canary-key")
    with Server() as server:
        assert "authorization" not in server._ask._client.headers
        assert callable(server._ask._request_raw)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Apache License\n   Version 2.0, January 2004", "apache-2.0"),
        ("MIT License\n\nCopyright", "mit"),
        ("**Llama 3.2** LLAMA 3.2 COMMUNITY LICENSE AGREEMENT", "llama3.2"),
        ("\n\n Our own terms \n more", "Our own terms"),
        ("", None),
    ],
)
def test_licences_by_their_text(text: str, name: str | None) -> None:
    assert license_name(text) == name
