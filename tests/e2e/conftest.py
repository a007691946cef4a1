"""One hub of real processes and a stand-in for the Hugging Face Hub, shared by the tests of the main job."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fixtures import model_shelf  # noqa: F401
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub, start_hub


@pytest.fixture(scope="module")
def stand_in(model_shelf: Path) -> Iterator[StandIn]:  # noqa: F811
    with StandIn(model_shelf) as running:
        yield running


@pytest.fixture(scope="module")
def hub(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    running = start_hub(tmp_path_factory.mktemp("hub"), {"HF_ENDPOINT": stand_in.url})
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
