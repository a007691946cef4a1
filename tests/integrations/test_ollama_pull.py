"""A pull as a child program: layers summed up, what the server kept, and every way it can end."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations import children
from integrations.child_events import EventWriter
from integrations.errors import NotFound, OutOfSpace, Stopped, Unreachable
from integrations.sources import SOURCES, ollama_pull
from tests.support.ollama_server import OllamaServer, library_model
from tests.support.web_process import until

SIZE = 400_000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaServer]:
    with OllamaServer(tmp_path / "ollama") as running:
        running.registry["tiny:1b"] = library_model(SIZE)
        monkeypatch.setenv("OLLAMA_HOST", running.url)
        yield running


class Pull:
    """One download's directory, pulled into as often as it is resumed."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.events = directory / "events.jsonl"

    def run(self, *, stop_at: int | None = None, waits: tuple[float, ...] = (0.01,)) -> dict[str, Any]:
        self.events.unlink(missing_ok=True)
        plan = SOURCES["ollama"].plan("tiny:1b", None, None, None).model_dump()
        stop = threading.Event()
        writer = Watched(str(self.events), stop, stop_at)
        spec = {"plan": plan, "events": str(self.events), "options": {"waits": waits}}
        return ollama_pull.program(spec, writer, stop)

    def progress(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.events.read_text().splitlines()]
        return [line for line in lines if line["type"] == "progress"]


class Watched(EventWriter):
    """Tells everything, and stops the pull when it is so far."""

    def __init__(self, path: str, stop: threading.Event, at: int | None) -> None:
        super().__init__(path)
        self._stop, self._at = stop, at

    def progress(self, *, force: bool = False, **fields: Any) -> None:
        super().progress(force=True, **fields)
        if self._at is not None and fields["bytes_done"] >= self._at:
            self._stop.set()


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    return Pull(tmp_path / "download")


def test_layers_are_summed_up_and_facts_come_at_the_end(server: OllamaServer, pull: Pull) -> None:
    facts = pull.run()["facts"]
    last = pull.progress()[-1]
    whole = sum(len(layer.content) for layer in server.registry["tiny:1b"].layers)
    assert last["bytes_done"] == last["bytes_total"] == whole == facts["size"]
    assert last["message"] == "success" and "resumable" not in last
    assert facts["commit"] == server.store.models["tiny:1b"]["digest"]
    assert (facts["kind"], facts["revision"], facts["architecture"]) == ("gguf", "1b", "llama")
    assert (facts["parameters"], facts["context_length"]) == (1_235_814_432, 131_072)
    assert (facts["quantization"], facts["license"]) == ("Q8_0", "apache-2.0")


def test_resuming_says_what_the_server_kept(server: OllamaServer, pull: Pull) -> None:
    server.trouble.pace = 0.01
    with pytest.raises(Stopped):
        pull.run(stop_at=SIZE // 2)
    came = pull.progress()[-1]["bytes_done"]
    server.trouble.pace = 0
    pull.run()
    again = [line for line in pull.progress() if line["bytes_done"]]
    assert again[0]["bytes_done"] >= came, "it goes on where it was"
    assert all(line["resumable"] is True for line in again)
    assert f"of the {came:,} bytes that had come." in again[-1]["message"]


def test_a_server_that_keeps_nothing_says_so(server: OllamaServer, pull: Pull) -> None:
    server.trouble.keeps_partials, server.trouble.pace = False, 0.01
    with pytest.raises(Stopped):
        pull.run(stop_at=SIZE // 2)
    pull.run()
    lines = [line for line in pull.progress() if "resumable" in line]
    assert lines[0]["bytes_done"] == 0 and not any(line["resumable"] for line in lines)
    assert "kept nothing" in lines[-1]["message"]


def test_a_layer_that_is_there_is_not_counted_as_speed(server: OllamaServer, pull: Pull) -> None:
    pull.run()
    pull.run()
    assert {line["speed"] for line in pull.progress()} == {0.0}
    assert not any("resumable" in line for line in pull.progress())


def test_a_server_that_dies_is_asked_again(server: OllamaServer, pull: Pull) -> None:
    server.trouble.dies_at = SIZE // 4
    facts = pull.run(waits=(0.01, 0.01))["facts"]
    assert facts["size"] and len(server.requests("/api/pull")) > 2
    assert any("broke off" in line["message"] for line in pull.progress())


def test_a_server_that_stays_dead_is_given_up(server: OllamaServer, pull: Pull) -> None:
    server.trouble.registry_away = True
    with pytest.raises(Unreachable):
        pull.run(waits=(0.01, 0.01))
    assert len(server.requests("/api/pull")) == 3


def test_no_room_and_no_such_model_are_not_tried_again(server: OllamaServer, pull: Pull) -> None:
    server.trouble.room = SIZE // 2
    with pytest.raises(OutOfSpace):
        pull.run()
    server.trouble.room = None
    del server.registry["tiny:1b"]
    with pytest.raises(NotFound):
        pull.run()
    assert len(server.requests("/api/pull")) == 2


def test_the_program_closes_its_stream_when_it_is_stopped(server: OllamaServer, tmp_path: Path) -> None:
    """SIGTERM reaches it while it waits for the next word of the server."""
    server.trouble.pace = 0.2
    plan = SOURCES["ollama"].plan("tiny:1b", None, None, None).model_dump(mode="json")
    directory = tmp_path / "child"
    child = children.start(
        directory, SOURCES["ollama"].child_module, {"job_id": "j", "plan": plan}, {"OLLAMA_HOST": server.url}
    )
    layer = server.registry["tiny:1b"].layers[0]
    until(lambda: server.store.partial(layer.digest).exists())
    child.stop()
    assert (children.last_event(directory) or {})["type"] == "stopped"
    assert (directory / "layers.json").exists()
