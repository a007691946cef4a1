"""Ollama on both sides of a whole hub: a server it lets pull, and its own deployments asked by the "
"real client."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import ollama
import pytest

from tests.e2e.conftest import deploy
from tests.support.fixtures import model_shelf  # noqa: F401
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import ROOT, Hub, start_hub

SIZE = 4_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ollama.Client]:
    """An Ollama server as a program of its own; a pull takes it about four seconds."""
    command = [sys.executable, "-m", "tests.support.ollama_server", str(tmp_path_factory.mktemp("ollama"))]
    process = subprocess.Popen(
        [*command, "--model", f"tiny:1b={SIZE}", "--pace", "0.2"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield ollama.Client(host=process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def hub(stand_in: StandIn, server: ollama.Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    address = str(server._client.base_url)
    running = start_hub(tmp_path_factory.mktemp("hub"), {"HF_ENDPOINT": stand_in.url, "OLLAMA_HOST": address})
    yield running
    running.stop()


def test_a_pull_is_paused_resumed_and_outlives_its_worker(hub: Hub, server: ollama.Client) -> None:
    asked = hub.post("/downloads", {"source": "ollama", "ref": "tiny:1b"})
    path = f"/downloads/{asked['id']}"
    moving = hub.until(path, lambda d: 0 < d["bytes_done"] < d["bytes_total"])
    assert moving["speed"] and moving["message"].startswith("pulling ")
    hub.post(f"{path}/pause")
    paused = hub.until(path, lambda d: d["status"] == "paused")
    hub.post(f"{path}/resume")
    again = hub.until(path, lambda d: d["status"] == "downloading" and d["resumable"] is not None)
    assert again["resumable"] is True and again["bytes_done"] >= paused["bytes_done"]
    assert "The server had kept" in again["message"]
    for worker in hub.parts("tasks.worker"):
        os.kill(worker.pid, signal.SIGKILL)
    done = hub.until(path, lambda d: d["status"] in ("completed", "failed"))
    assert done["status"] == "completed", done
    model = hub.get(f"/models/{done['model_id']}")
    assert model["location"] == "ollama" and model["size"] >= SIZE
    assert [held.model for held in server.list().models] == ["tiny:1b"]


def test_a_model_of_the_library_becomes_one_there(hub: Hub, server: ollama.Client) -> None:
    deploy(hub, "org/tiny-llama-gguf", "talk-gguf")
    model = next(m for m in hub.get("/models?limit=200")["items"] if m["ref"] == "org/tiny-llama-gguf")
    job = hub.post("/ollama/models", {"name": "from-the-hub", "model_id": model["id"], "system": "Be brief."})
    ended = hub.until(f"/jobs/{job['id']}", lambda j: j["state"] in ("completed", "failed"))
    assert ended["state"] == "completed", ended
    shown = server.show("from-the-hub")
    assert shown.modelinfo and shown.modelinfo["general.architecture"] == "llama"


def test_the_real_client_talks_to_a_real_model(hub: Hub) -> None:
    deploy(hub, "org/tiny-llama-gguf", "talk-gguf")
    key = hub.post("/api-keys", {"name": "ollama", "scopes": ["chat.use"]})["key"]
    client = ollama.Client(host=f"{hub.url}/ollama", headers={"Authorization": f"Bearer {key}"})
    assert [model.model for model in client.list().models] == ["talk-gguf:latest"]
    asked = {
        "model": "talk-gguf",
        "messages": [{"role": "user", "content": "hello"}],
        "options": {"num_predict": 12, "temperature": 0},
    }
    whole = client.chat(**asked)
    assert whole.eval_count == 12 and whole.done_reason == "length" and whole.prompt_eval_count
    lines = list(client.chat(**asked, stream=True))
    assert "".join(line.message.content or "" for line in lines) == whole.message.content
    generated = client.generate("talk-gguf:latest", prompt="hello", options=asked["options"])
    assert generated.eval_count == 12 and generated.response == whole.message.content
    raw = client.generate("talk-gguf", prompt="hello", raw=True, options={"num_predict": 3, "temperature": 0})
    assert raw.eval_count == 3
