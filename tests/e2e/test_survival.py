"""Parts may die at any moment: nothing is lost, no byte is wrong, nothing is left behind."""

import hashlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.conftest import deploy
from tests.e2e.test_main_job import sse
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub, start_hub


@pytest.fixture
def slow(stand_in: StandIn) -> Iterator[StandIn]:
    stand_in.rate = 1_000_000
    yield stand_in
    stand_in.rate = 0


def begin(hub: Hub, least: int) -> dict:
    """Start the padded download anew and wait until `least` bytes are here."""
    for model in hub.get("/models?q=padded")["items"]:
        hub.delete(f"/models/{model['id']}")
    download = hub.post("/downloads", {"ref": "org/padded-llama"})
    return hub.until(f"/downloads/{download['id']}", lambda d: d["bytes_done"] >= least)


def arrives_unharmed(hub: Hub, download: dict, shelf: Path) -> None:
    done = hub.until(f"/downloads/{download['id']}", lambda d: d["status"] in ("completed", "failed"))
    assert done["status"] == "completed", done
    model = hub.get(f"/models/{done['model_id']}")
    for file in model["files"]:
        here = hashlib.sha256(Path(model["path"], file["path"]).read_bytes()).hexdigest()
        there = hashlib.sha256((shelf / "org/padded-llama" / file["path"]).read_bytes()).hexdigest()
        assert here == there == file["sha256"]
    assert len(model["files"]) == len([p for p in (shelf / "org/padded-llama").rglob("*") if p.is_file()])


@pytest.mark.parametrize("part", ["tasks.worker", "gunicorn", "redis", "tasks.beat"])
def test_a_part_killed_mid_download_costs_nothing(
    hub: Hub, slow: StandIn, model_shelf: Path, part: str
) -> None:
    download = begin(hub, 4_000_000)
    victims = hub.parts(part) or hub.parts("valkey-server")
    assert victims
    for victim in victims:
        victim.send_signal(signal.SIGKILL)
    slow.rate = 8_000_000
    arrives_unharmed(hub, download, model_shelf)


def test_the_fetching_child_killed_goes_on_where_it_was(hub: Hub, slow: StandIn, model_shelf: Path) -> None:
    download = begin(hub, 4_000_000)
    child = next(
        p for p in psutil.process_iter(["cmdline"]) if download["id"] in " ".join(p.info["cmdline"] or ())
    )
    child.kill()
    slow.rate = 8_000_000
    arrives_unharmed(hub, download, model_shelf)


def test_pause_keeps_every_byte_and_resume_goes_on(hub: Hub, slow: StandIn, model_shelf: Path) -> None:
    download = begin(hub, 4_000_000)
    path = f"/downloads/{download['id']}"
    hub.post(f"{path}/pause")
    paused = hub.until(path, lambda d: d["status"] == "paused")
    assert paused["bytes_done"] >= 4_000_000 and paused["error"] is None
    time.sleep(1)
    assert hub.get(path)["bytes_done"] == paused["bytes_done"]
    slow.rate = 8_000_000
    hub.post(f"{path}/resume")
    arrives_unharmed(hub, download, model_shelf)


def test_pause_and_resume_without_a_breath_between(hub: Hub, slow: StandIn, model_shelf: Path) -> None:
    download = begin(hub, 0)
    path = f"/downloads/{download['id']}"
    for _ in range(6):
        hub.post(f"{path}/pause")
        hub.post(f"{path}/resume")
    slow.rate = 8_000_000
    arrives_unharmed(hub, download, model_shelf)


def test_cancel_removes_the_parts_and_retry_starts_again(hub: Hub, slow: StandIn, model_shelf: Path) -> None:
    download = begin(hub, 2_000_000)
    path = f"/downloads/{download['id']}"
    hub.post(f"{path}/cancel")
    hub.until(path, lambda d: d["status"] == "cancelled")
    incoming = hub.home / "incoming" / download["id"]
    hub.until(path, lambda _: not incoming.exists())
    slow.rate = 20_000_000
    hub.post(f"{path}/retry")
    arrives_unharmed(hub, download, model_shelf)


def test_web_killed_mid_chat_loses_no_word(hub: Hub) -> None:
    deployment = deploy(hub, "org/tiny-llama", "survivor", context=2048)
    session = hub.post(
        "/chat/sessions",
        {"deployment_id": deployment["id"], "options": {"max_tokens": 600, "temperature": 0}},
    )
    seen, message_id = "", ""
    with (
        pytest.raises(httpx.TransportError),
        httpx.stream(
            "POST",
            f"{hub.url}/api/v1/chat/sessions/{session['id']}/messages",
            headers=hub.headers,
            json={"content": "tell me everything", "stream": True},
            timeout=60,
        ) as response,
    ):
        for event, data in sse(response):
            if event == "message":
                message_id = data["assistant"]["id"]
            if event == "delta":
                seen += data["text"]
            if len(seen) > 40:
                for process in hub.parts("gunicorn"):
                    process.kill()
        assert event != "done", "the answer was over before the web server could be killed"
        raise httpx.ReadError("the stream ended without a last word")
    kept = hub.until(
        f"/chat/sessions/{session['id']}", lambda s: s["messages"][-1]["status"] != "generating", 90
    )["messages"][-1]
    assert kept["id"] == message_id and kept["status"] == "complete", kept
    assert kept["content"].startswith(seen) and len(kept["content"]) > len(seen)


def test_an_inference_server_killed_comes_back(hub: Hub) -> None:
    deployment = deploy(hub, "org/tiny-llama", "survivor")
    server = next(
        p
        for p in psutil.process_iter(["cmdline"])
        if f"deployment-{deployment['id']}" in " ".join(p.info["cmdline"] or ())
    )
    server.kill()
    path = f"/deployments/{deployment['id']}"
    hub.until(path, lambda d: d["status"] != "running" or d["version"] > deployment["version"], 30)
    assert hub.until(path, lambda d: d["status"] in ("running", "failed"), 120)["status"] == "running"


def test_a_deliberate_stop_leaves_nothing_and_the_next_start_brings_all_back(
    stand_in: StandIn, model_shelf: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    hub = start_hub(home, {"HF_ENDPOINT": stand_in.url})
    try:
        deployment = deploy(hub, "org/tiny-llama-gguf", "returns")
        stand_in.rate = 1_000_000
        download = begin(hub, 3_000_000)
    finally:
        hub.stop()
    left = [
        p.info["cmdline"]
        for p in psutil.process_iter(["cmdline"])
        if str(home) in " ".join(p.info["cmdline"] or ())
    ]
    assert left == []
    stand_in.rate = 0
    hub = start_hub(home, {"HF_ENDPOINT": stand_in.url})
    try:
        arrives_unharmed(hub, download, model_shelf)
        back = hub.until(
            f"/deployments/{deployment['id']}", lambda d: d["status"] == "running" and bool(d["endpoint"])
        )
        answer = hub.request(
            "POST",
            "/v1/chat/completions",
            json={"model": back["name"], "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4},
        )
        assert answer.status_code == 200, answer.text
    finally:
        hub.stop()
