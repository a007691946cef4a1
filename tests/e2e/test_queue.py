"""A whole hub's queue: what ran, waited, was held or paused is so again after everything was killed; speed,
order, storage and the four verbs from command line and socket."""

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import socketio

from tests.cli.conftest import Terminal
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub, start_hub
from tests.support.light_models import contents, light_model

MB = 1_000_000
NAMES = ("urgent", "later", "resting", "small")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shelf")
    for name in NAMES:
        light_model(root, f"light/{name}", 4 * MB)
    return root


@pytest.fixture(scope="module")
def source(shelf: Path) -> Iterator[StandIn]:
    with StandIn(shelf) as running:
        yield running


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def strike_down(hub: Hub) -> None:
    """As when the machine loses its power: nobody gets to say a last word."""
    home = str(hub.home)
    parts = psutil.Process(hub.process.pid).children(recursive=True)
    children = [p for p in psutil.process_iter(["cmdline"]) if home in " ".join(p.info["cmdline"] or ())]
    for process in [psutil.Process(hub.process.pid), *parts, *children]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    hub.process.wait(10)


def call(hub: Hub, event: str, id: str) -> dict[str, Any]:
    client = socketio.Client()
    auth = {"token": hub.token}
    client.connect(hub.url, namespaces=["/downloads"], transports=["websocket"], auth=auth)
    try:
        return dict(client.call(event, {"id": id}, namespace="/downloads", timeout=20))
    finally:
        client.disconnect()


def test_everything_comes_back_as_it_was_wanted(
    source: StandIn, shelf: Path, tmp_path: Path, terminal: Terminal
) -> None:
    home = tmp_path / "home"
    hub = start_hub(home, {"HF_ENDPOINT": source.url, "MODELHUB_DOWNLOAD_CONNECTIONS": "1"})
    terminal.environment["MODELHUB_HOME"] = str(home)
    source.rate = MB // 2
    try:
        urgent, later, resting, small = (hub.post("/downloads", {"ref": f"light/{name}"}) for name in NAMES)
        hub.until(f"/downloads/{resting['id']}", lambda d: d["bytes_done"] > MB // 2)
        assert call(hub, "pause", resting["id"])["ok"]
        paused = hub.until(f"/downloads/{resting['id']}", lambda d: d["status"] == "paused")
        assert terminal.run("limit", urgent["id"], "--any-time", "--priority", "5").code == 0
        soon, now = time.localtime(time.time() + 7200), time.localtime(time.time() + 3600)
        hours = f"{time.strftime('%H:%M', now)}-{time.strftime('%H:%M', soon)}"
        said = terminal.run("settings", "transfers", "--hours", hours, "--parallel", "2")
        assert said.code == 0 and "held until" in said.out
        for download in (later, small):
            held = hub.until(f"/downloads/{download['id']}", lambda d: d["status"] == "held")
            assert held["waiting"]["code"] == "OUTSIDE_HOURS"
        moved = terminal.run("move", small["id"], "--first", "--json")
        assert moved.code == 0 and moved.json["position"] == 1
        running = hub.until(f"/downloads/{urgent['id']}", lambda d: d["bytes_done"] > MB // 2)
        assert running["status"] == "downloading" and running["any_time"]
        queue = terminal.run("downloads", "--queue", "--json").json["items"]
        assert [item["id"] for item in queue] == [each["id"] for each in (urgent, small, later, resting)]
        table = terminal.run("df").out
        assert "models, blobs, incoming, uploads" in table
    finally:
        strike_down(hub)

    source.rate = MB // 10  # a busy machine takes a while to start a hub
    hub = start_hub(home, {"HF_ENDPOINT": source.url, "MODELHUB_DOWNLOAD_CONNECTIONS": "1"})
    try:
        back = hub.until(f"/downloads/{urgent['id']}", lambda d: d["status"] == "downloading" and d["speed"])
        assert back["bytes_done"] >= MB // 4, "it goes on from what had arrived"
        source.rate = 0
        hub.until(f"/downloads/{urgent['id']}", lambda d: d["status"] == "completed")
        assert hub.get(f"/downloads/{resting['id']}")["status"] == "paused"
        assert hub.get(f"/downloads/{resting['id']}")["bytes_done"] == paused["bytes_done"]
        assert {hub.get(f"/downloads/{each['id']}")["status"] for each in (later, small)} == {"held"}
        assert terminal.run("settings", "transfers", "--hours", "none").code == 0
        assert call(hub, "resume", resting["id"])["download"]["status"] in ("pending", "downloading")
        for download, name in zip((urgent, later, resting, small), NAMES, strict=True):
            done = hub.until(f"/downloads/{download['id']}", lambda d: d["status"] == "completed", 60)
            model = hub.get(f"/models/{done['model_id']}")
            assert contents(Path(model["path"])) == contents(shelf / f"light/{name}")
        refused = call(hub, "cancel", small["id"])
        assert not refused["ok"] and refused["error"]["code"] == "CONFLICT"
        assert terminal.run("forget", small["id"]).code == 0
        assert small["id"] not in [item["id"] for item in hub.get("/downloads")["items"]]
        actions = [entry["action"] for entry in hub.get("/audit?limit=200")["items"]]
        assert {"download.pause", "download.again", "download.move", "settings.change"} <= set(actions)
        assert hub.get("/storage")["filesystems"][0]["reserved"] == 0
    finally:
        hub.stop()
