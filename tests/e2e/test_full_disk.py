"""A whole hub on a small disk that somebody else fills: what runs is paused, what comes is held."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub, start_hub
from tests.support.light_models import contents, light_model

MB = 1_000_000


@pytest.fixture
def source(tmp_path: Path) -> Iterator[StandIn]:
    light_model(tmp_path / "shelf", "light/bulky", 6 * MB, shards=3)
    light_model(tmp_path / "shelf", "light/other", 6 * MB)
    light_model(tmp_path / "shelf", "light/endless", 80 * MB)
    with StandIn(tmp_path / "shelf") as running:
        yield running


@pytest.fixture
def hub(source: StandIn, tmp_path: Path) -> Iterator[Hub]:
    home = tmp_path / "home"
    mount = f'mount -t tmpfs -o size=300m,mode=0700 none {home} && exec "$@"'
    environment = {"HF_ENDPOINT": source.url, "MODELHUB_DOWNLOAD_CONNECTIONS": "1"}
    running = start_hub(home, environment, inside=("unshare", "--mount", "sh", "-c", mount, "sh"))
    # The disk is mounted for the hub alone; through its process the test looks into it.
    pid = running.process.pid
    running.home = Path(f"/proc/{pid}/root{home}")
    smaller = ["nsenter", "-t", str(pid), "-m", "mount", "-o", "remount,size=64m", str(home)]
    subprocess.run(smaller, check=True)  # no hub starts on less than 256 MB
    yield running
    running.stop()


def fill(hub: Hub, leave: int) -> Path:
    """Somebody else's file, which takes all but `leave` bytes."""
    filler = hub.home / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(hub.home).free - leave)
    return filler


@pytest.mark.skipif(
    not shutil.which("unshare") or os.geteuid() != 0, reason="mounts a small disk: needs root"
)
def test_a_disk_that_fills_up_harms_nobody(hub: Hub, source: StandIn, tmp_path: Path) -> None:
    source.rate = 2 * MB
    bulky = hub.post("/downloads", {"ref": "light/bulky"})
    hub.until(f"/downloads/{bulky['id']}", lambda d: d["bytes_done"] > 2 * MB)
    filler = fill(hub, leave=2 * MB)
    paused = hub.until(f"/downloads/{bulky['id']}", lambda d: d["status"] == "paused")
    assert paused["error"]["code"] == "OUT_OF_SPACE" and paused["bytes_done"] > 2 * MB
    asked = len(source.requests("cdn"))
    held = hub.post("/downloads", {"ref": "light/other"})
    assert held["status"] == "held" and held["waiting"]["code"] == "OUT_OF_SPACE"
    numbers = held["waiting"]["details"]
    assert numbers["deficit"] == numbers["needed"] + numbers["reserved"] - numbers["free"] > 0
    never = hub.request("POST", "/api/v1/downloads", json={"ref": "light/endless"})
    assert never.status_code == 507 and "can never fit" in never.json()["message"]
    assert hub.request("GET", "/readyz").status_code == 200
    time.sleep(3)
    assert len(source.requests("cdn")) == asked, "nobody asks a server for what there is no room for"
    assert hub.get(f"/downloads/{bulky['id']}")["status"] == "paused"

    source.rate = 0
    filler.unlink()
    hub.until(f"/downloads/{held['id']}", lambda d: d["status"] == "completed", 40)
    hub.post(f"/downloads/{bulky['id']}/resume")
    for download in (bulky, held):
        done = hub.until(f"/downloads/{download['id']}", lambda d: d["status"] == "completed", 40)
        model = hub.get(f"/models/{done['model_id']}")
        here = hub.home / "models" / Path(model["path"]).name
        assert contents(here) == contents(tmp_path / "shelf" / download["ref"])
