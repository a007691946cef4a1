"""Large files through the real Xet client: watched, killed when it stands still, and never trusted."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from integrations.errors import Stopped
from integrations.http import Outbound
from integrations.sources.fetch import downloads_of
from integrations.sources.xet import fetch_large, large_files
from integrations.transfer import Options, fetch
from tests.support.downloads import QUICK, WEIGHTS, build_model, content, plan_of
from tests.support.hub import Hub
from tests.support.hub.xet import keep

SIZE = 12_000_000


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    root = tmp_path_factory.mktemp("xet")
    build_model(root / "org" / "model", weights_bytes=SIZE)
    with Hub(root) as hub:
        keep(hub, root / "org" / "model" / WEIGHTS, content(root / "org" / "model")[WEIGHTS])
        yield hub


@pytest.fixture
def hub(shelf: Hub) -> Iterator[Hub]:
    shelf.clear()
    yield shelf
    shelf.clear()


class Bringing:
    """What the fetching program does, in this process."""

    def __init__(self, hub: Hub, into: Path, **options: Any) -> None:
        self.hub, self.into, self.stop = hub, into, threading.Event()
        self.plan = plan_of(hub)
        self.options = Options(**{**QUICK, "stall_timeout": 3.0, **options})
        self.progress: list[dict[str, Any]] = []
        self.said: list[str] = []

    def run(self) -> None:
        outbound = Outbound(self.hub.url, os.environ.get("HF_TOKEN"), connect=2.0, read=3.0)
        downloads, large = downloads_of(self.plan, self.hub.url), large_files(self.plan, 1_000_000)
        assert [downloads[file.place].path for file in large] == [WEIGHTS]
        fetch_large(
            large, downloads, self.into, self.plan, outbound, self.options, self.stop, self.progress.append,
            self.said.append,
        )  # fmt: skip
        fetch(downloads, self.into, outbound, options=self.options, stop=self.stop)
        assert content(self.into) == content(self.hub.shelf.root / "org" / "model")

    def by_http(self) -> int:
        """Bytes of the weights that came by plain HTTP."""
        return sum(entry["bytes"] for entry in self.hub.requests("cdn"))

    def by_xet(self) -> int:
        return sum(entry["bytes"] for entry in self.hub.requests("cas", "/xorb/"))


def test_the_real_client_brings_it(hub: Hub, tmp_path: Path) -> None:
    bringing = Bringing(hub, tmp_path)
    bringing.run()
    assert bringing.by_http() == 0 and bringing.by_xet() > SIZE
    assert bringing.said == []
    assert bringing.progress[-1]["bytes_done"] == SIZE and bringing.progress[-1]["resumable"]
    assert not hub.requests("cas", "telemetry"), "it does not call home"
    tokens = {entry["authorization"] for entry in hub.requests("cas")}
    assert tokens == {"Bearer xet_ok", None}, "the storage sees its own token, xorbs come by signed addresses"


def test_small_files_and_a_threshold_of_nothing(hub: Hub) -> None:
    plan = plan_of(hub)
    assert large_files(plan, 0) == [] and large_files(plan, SIZE + 1) == []
    assert [file.place for file in large_files(plan, SIZE)] == [
        index for index, file in enumerate(plan["files"]) if file["path"] == WEIGHTS
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 403, "match": "reconstruction"},
        {"kind": "status", "status": 500, "match": "reconstruction"},
        {"kind": "status", "status": 500, "match": "xorb"},
        {"kind": "cut", "match": "xorb", "at": 500_000},
        {"kind": "stall", "match": "xorb", "at": 300_000},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault['match']}",
)
def test_whatever_is_wrong_with_xet_plain_http_goes_on(
    hub: Hub, tmp_path: Path, fault: dict[str, Any]
) -> None:
    bringing = Bringing(hub, tmp_path, stall_timeout=2.0)
    hub.fault(**fault, on="cas", times=0)
    bringing.run()
    assert bringing.by_http() > 0
    assert bringing.said and all(WEIGHTS in words for words in bringing.said)


def test_no_token_for_the_storage(hub: Hub, tmp_path: Path) -> None:
    bringing = Bringing(hub, tmp_path)
    hub.fault("status", status=404, match="/api/models/*/xet-read-token/*", times=0)
    bringing.run()
    assert bringing.by_xet() == 0 and bringing.by_http() >= SIZE


def test_wrong_bytes_are_found_by_the_same_gate(hub: Hub, tmp_path: Path) -> None:
    bringing = Bringing(hub, tmp_path)
    hub.fault("wrong_bytes", match="xorb", on="cas", at=400_000, times=0)
    bringing.run()
    assert bringing.by_http() > 0


def test_a_pause_keeps_what_came_and_goes_on_there(hub: Hub, tmp_path: Path) -> None:
    bringing = Bringing(hub, tmp_path)
    hub.rate = 2_000_000
    part = tmp_path / ".transfer" / "xet"

    def pause() -> None:
        while not any(file.is_file() and file.stat().st_size > 1_000_000 for file in part.glob("0*")):
            time.sleep(0.02)
        bringing.stop.set()

    threading.Thread(target=pause, daemon=True).start()
    with pytest.raises(Stopped):
        bringing.run()
    kept = max(file.stat().st_size for file in part.glob("0*"))
    assert kept > 1_000_000
    hub.clear()
    again = Bringing(hub, tmp_path)
    again.run()
    assert again.by_xet() < SIZE - kept + 2_000_000, "from where it stood, to the chunk"
    assert again.by_http() == 0


def test_a_storage_in_a_private_network_is_not_entered(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public hub names a storage on this machine: the gate refuses, plain HTTP goes on."""
    monkeypatch.setattr(Outbound, "private_home", False)
    bringing = Bringing(hub, tmp_path)
    downloads = downloads_of(bringing.plan, hub.url)
    outbound = Outbound(hub.url, None, connect=2.0, read=3.0)
    fetch_large(
        large_files(bringing.plan, 1), downloads, tmp_path, bringing.plan, outbound, bringing.options,
        bringing.stop, bringing.progress.append, bringing.said.append,
    )  # fmt: skip
    assert bringing.by_xet() == 0 and not hub.requests("cas")
    assert any("private network" in words for words in bringing.said)


def test_a_killed_download_takes_its_xet_program_along_and_goes_on(hub: Hub, tmp_path: Path) -> None:
    """The program as a worker starts it; `kill -9`, then the same order again."""
    plan = plan_of(hub)
    spec = {"events": str(tmp_path / "events"), "plan": plan, "into": str(tmp_path / "into")}
    spec["options"] = {"xet_bytes": 1_000_000, "disk_reserve": 0}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    (tmp_path / "into").mkdir()
    command = [sys.executable, "-m", "integrations.sources.fetch", str(tmp_path / "spec.json")]
    environment = {**os.environ, "HF_ENDPOINT": hub.url}
    hub.rate = 2_000_000
    fetching = subprocess.Popen(command, env=environment)
    part = tmp_path / "into" / ".transfer" / "xet" / f"{large_files(plan, 1_000_000)[0].place:05d}"
    while not part.exists() or part.stat().st_size < 1_000_000:
        assert fetching.poll() is None
        time.sleep(0.02)
    [program] = psutil.Process(fetching.pid).children()
    fetching.kill()
    fetching.wait()
    psutil.wait_procs([program], timeout=10)
    assert not program.is_running() or program.status() == psutil.STATUS_ZOMBIE
    kept = part.stat().st_size
    hub.clear()
    subprocess.run(command, env=environment, check=True)
    assert content(tmp_path / "into") == content(hub.shelf.root / "org" / "model")
    again = sum(entry["bytes"] for entry in hub.requests("cas", "/xorb/"))
    assert again < SIZE - kept + 2_000_000 and not hub.requests("cdn")
    said = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert any(event.get("message") == "Through Xet" and event["resumable"] for event in said)
    assert (
        "hf_ok" not in (tmp_path / "events").read_text() and "xet_ok" not in (tmp_path / "events").read_text()
    )
