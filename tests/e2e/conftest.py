"""One hub of real processes and a stand-in for the Hugging Face Hub, shared by the tests of the main job."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ollama
import pytest

from tests.support.fixtures import model_shelf  # noqa: F401
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import ROOT, Hub, start_hub

OLLAMA_SIZE = 4_000_000


@pytest.fixture(scope="module")
def stand_in(model_shelf: Path) -> Iterator[StandIn]:  # noqa: F811
    with StandIn(model_shelf) as running:
        yield running


@pytest.fixture(scope="module")
def ollama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ollama.Client]:
    """An Ollama server as a program of its own; a pull takes it about four seconds."""
    command = [sys.executable, "-m", "tests.support.ollama_server", str(tmp_path_factory.mktemp("ollama"))]
    command += ["--model", f"tiny:1b={OLLAMA_SIZE}", "--pace", "0.2"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield ollama.Client(host=process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def hub(
    stand_in: StandIn, ollama_server: ollama.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    environment = {"HF_ENDPOINT": stand_in.url, "OLLAMA_HOST": str(ollama_server._client.base_url)}
    running = start_hub(tmp_path_factory.mktemp("hub"), environment)
    yield running
    running.stop()


def bring(hub: Hub, ref: str) -> dict:
    """Download `ref` unless it is here already, and return the model."""
    for model in hub.get("/models?limit=200")["items"]:
        if model["ref"] == ref:
            return model
    download = hub.post("/downloads", {"ref": ref})
    done = hub.until(f"/downloads/{download['id']}", lambda d: d["status"] in ("completed", "failed"))
    assert done["status"] == "completed", done
    return hub.get(f"/models/{done['model_id']}")


def deploy(hub: Hub, ref: str, name: str, **options: object) -> dict:
    """Deploy `ref` as `name` unless it runs already."""
    for deployment in hub.get("/deployments?limit=200")["items"]:
        if deployment["name"] == name and deployment["status"] == "running":
            return deployment
    model = bring(hub, ref)
    asked = hub.post("/deployments", {"model_id": model["id"], "name": name, "options": options})
    up = hub.until(f"/deployments/{asked['id']}", lambda d: d["status"] in ("running", "failed"), 180)
    assert up["status"] == "running", up
    return up
