"""From a model's name to a conversation: REST, Socket.IO and the OpenAI client; every part a process.

At the end Ollama, on both sides of the hub: a server it lets pull, and deployments asked by its client."""

import hashlib
import json
import os
import signal
import threading
from pathlib import Path

import httpx
import ollama
import openai
import pytest
import socketio

from tests.e2e.conftest import OLLAMA_SIZE, bring, deploy
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub


def sse(response: httpx.Response):  # type: ignore[no-untyped-def]
    """(event, data) of every frame."""
    event, data = "", ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: "):
            data += line[6:]
        elif not line and event:
            yield event, json.loads(data)
            event, data = "", ""


def talk(hub: Hub, session_id: str, content: str) -> tuple[str, dict]:
    """Send a message; what was streamed, and the finished message."""
    text, done = "", {}
    with httpx.stream(
        "POST",
        f"{hub.url}/api/v1/chat/sessions/{session_id}/messages",
        headers=hub.headers,
        json={"content": content, "stream": True},
        timeout=60,
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream"), response.read()
        for event, data in sse(response):
            if event == "delta":
                text += data["text"]
            elif event in ("done", "error"):
                done = data
    return text, done


def test_search_finds_what_the_source_has(hub: Hub) -> None:
    found = hub.get("/search?q=tiny")
    assert "org/tiny-llama" in [item["ref"] for item in found["items"]]
    model = hub.get("/search/model?ref=org/tiny-llama")
    assert "model.safetensors" in [file["path"] for file in model["files"]]
    assert model["size"] > 0 and model["card"]["text"] and len(model["commit"]) == 40


def test_a_download_arrives_whole_and_is_described(hub: Hub, model_shelf: Path) -> None:
    model = bring(hub, "org/tiny-llama")
    assert (
        model["architecture"] == "LlamaForCausalLM"
        and model["parameters"] > 10_000
        and model["kind"] == "base"
    )
    for file in model["files"]:
        here = Path(model["path"], file["path"]).read_bytes()
        there = (model_shelf / "org/tiny-llama" / file["path"]).read_bytes()
        assert here == there
        assert file["sha256"] == hashlib.sha256(there).hexdigest()


@pytest.mark.parametrize(
    ("ref", "engine"), [("org/tiny-llama", "transformers"), ("org/tiny-llama-gguf", "llamacpp")]
)
def test_deploy_and_talk_with_both_engines(hub: Hub, ref: str, engine: str) -> None:
    deployment = deploy(hub, ref, f"talk-{engine}")
    assert deployment["engine"] == engine and deployment["endpoint"].startswith("http://127.0.0.1:")
    session = hub.post(
        "/chat/sessions",
        {"deployment_id": deployment["id"], "options": {"max_tokens": 24, "temperature": 0}},
    )
    text, done = talk(hub, session["id"], "hello there")
    assert done["status"] == "complete" and done["content"] == text and done["completion_tokens"] > 0
    kept = hub.get(f"/chat/sessions/{session['id']}")
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant"]
    assert kept["messages"][1]["content"] == text
    assert kept["title"]


def test_the_official_openai_client_is_at_home(hub: Hub) -> None:
    deploy(hub, "org/tiny-llama", "talk-transformers")
    client = openai.OpenAI(base_url=f"{hub.url}/v1", api_key=hub.token)
    assert "talk-transformers" in [model.id for model in client.models.list()]
    asked = {
        "model": "talk-transformers",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 12,
    }
    whole = client.chat.completions.create(**asked, temperature=0)
    assert whole.usage.completion_tokens > 0
    streamed = client.chat.completions.create(**asked, temperature=0, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices)
    assert text == whole.choices[0].message.content
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**{**asked, "model": "nobody"})
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{hub.url}/v1", api_key="wrong").models.list()


def test_sockets_are_closed_without_a_token(hub: Hub) -> None:
    for namespace in ("/downloads", "/deployments", "/chat", "/system"):
        for auth in (None, {"token": "wrong"}):
            client = socketio.Client()
            with pytest.raises(socketio.exceptions.ConnectionError):
                client.connect(hub.url, namespaces=[namespace], transports=["websocket"], auth=auth)


def test_a_download_is_followed_over_a_socket(hub: Hub, stand_in: StandIn) -> None:
    stand_in.rate = 3_000_000
    events: list[dict] = []
    ended = threading.Event()
    client = socketio.Client()

    @client.on("event", namespace="/downloads")
    def on_event(event: dict) -> None:
        events.append(event)
        if event["data"]["status"] in ("completed", "failed"):
            ended.set()

    try:
        client.connect(
            hub.url, namespaces=["/downloads"], transports=["websocket"], auth={"token": hub.token}
        )
        answer = client.call("subscribe", {"id": "*"}, namespace="/downloads")
        assert answer["ok"] and isinstance(answer["snapshot"], list)
        assert (
            client.call("subscribe", {"id": "nothing"}, namespace="/downloads")["error"]["code"]
            == "NOT_FOUND"
        )
        download = hub.post("/downloads", {"ref": "org/padded-llama"})
        assert ended.wait(60)
    finally:
        stand_in.rate = 0
        client.disconnect()
    mine = [event for event in events if event["id"] == download["id"]]
    numbers = [event["seq"] for event in mine]
    assert numbers == sorted(numbers) and mine[0]["type"] == "created"
    moving = [event["data"] for event in mine if event["data"]["status"] == "downloading"]
    assert any(0 < data["bytes_done"] < data["bytes_total"] and data["speed"] for data in moving)
    assert mine[-1]["data"]["status"] == "completed" and mine[-1]["data"]["model_id"]


def test_a_chat_over_the_socket(hub: Hub) -> None:
    deployment = deploy(hub, "org/tiny-llama", "talk-transformers")
    session = hub.post("/chat/sessions", {"deployment_id": deployment["id"], "options": {"max_tokens": 16}})
    pieces: list[str] = []
    done = threading.Event()
    last: dict = {}
    client = socketio.Client()

    @client.on("event", namespace="/chat")
    def on_event(event: dict) -> None:
        if event["type"] == "delta":
            pieces.append(event["data"]["text"])
        elif event["type"] == "done":
            last.update(event["data"])
            done.set()

    try:
        client.connect(hub.url, namespaces=["/chat"], transports=["websocket"], auth={"token": hub.token})
        answer = client.call("send", {"session_id": session["id"], "content": "hi"}, namespace="/chat")
        assert answer["ok"] and answer["assistant"]["status"] == "generating"
        assert done.wait(60)
        assert last["status"] == "complete" and "".join(pieces) == last["content"]
        done.clear()
        pieces.clear()
        replay = {"id": last["id"], "after": 5}
        assert client.call("subscribe", replay, namespace="/chat")["ok"]
        assert done.wait(60)
    finally:
        client.disconnect()
    assert "".join(pieces) == last["content"][5:]


def test_a_log_is_followed_over_the_socket(hub: Hub) -> None:
    deployment = deploy(hub, "org/tiny-llama", "talk-transformers")
    lines: list[str] = []
    came = threading.Event()
    client = socketio.Client()

    @client.on("event", namespace="/deployments")
    def on_event(event: dict) -> None:
        if event["type"] == "log":
            lines.extend(event["data"]["lines"])
            came.set()

    try:
        client.connect(
            hub.url, namespaces=["/deployments"], transports=["websocket"], auth={"token": hub.token}
        )
        client.call("subscribe", {"id": deployment["id"], "logs": True}, namespace="/deployments")
        assert came.wait(20)
    finally:
        client.disconnect()
    assert lines == hub.get(f"/deployments/{deployment['id']}/logs")["lines"][: len(lines)]


def test_logs_are_kept_and_read_by_offset(hub: Hub) -> None:
    deployment = deploy(hub, "org/tiny-llama", "talk-transformers")
    first = hub.get(f"/deployments/{deployment['id']}/logs")
    assert first["lines"] and first["next"] > 0
    assert hub.get(f"/deployments/{deployment['id']}/logs?after={first['next']}")["next"] >= first["next"]


def test_a_model_in_use_is_not_deleted_and_a_deleted_deployment_is_gone(hub: Hub) -> None:
    deployment = deploy(hub, "org/tiny-llama-gguf", "talk-llamacpp")
    refused = hub.request("DELETE", f"/api/v1/models/{deployment['model_id']}")
    assert refused.status_code == 409 and "talk-llamacpp" in refused.json()["message"]
    hub.post(f"/deployments/{deployment['id']}/stop")
    hub.until(f"/deployments/{deployment['id']}", lambda d: d["status"] == "stopped")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{deployment['endpoint']}/health")
    hub.post(f"/deployments/{deployment['id']}/start")
    hub.until(f"/deployments/{deployment['id']}", lambda d: d["status"] == "running")
    hub.delete(f"/deployments/{deployment['id']}")
    hub.until("/deployments", lambda page: deployment["id"] not in [d["id"] for d in page["items"]])
    model_path = Path(hub.get(f"/models/{deployment['model_id']}")["path"])
    hub.delete(f"/models/{deployment['model_id']}")
    assert not model_path.exists()


def test_a_deployment_that_cannot_work_says_why(hub: Hub) -> None:
    bert = bring(hub, "org/tiny-bert")
    refused = hub.request("POST", "/api/v1/deployments", json={"model_id": bert["id"], "name": "bert"})
    assert refused.status_code == 422 and refused.json()["error"] == "NOT_A_CAUSAL_LM"
    model = bring(hub, "org/tiny-llama")
    running = deploy(hub, "org/tiny-llama", "talk-transformers")
    port = int(running["endpoint"].rsplit(":", 1)[1])
    taken = hub.post("/deployments", {"model_id": model["id"], "name": "taken", "options": {"port": port}})
    failed = hub.until(f"/deployments/{taken['id']}", lambda d: d["status"] in ("failed", "running"))
    assert failed["status"] == "failed" and failed["error"]["code"] == "PORT_IN_USE", failed
    twice = hub.request("POST", "/api/v1/deployments", json={"model_id": model["id"], "name": "taken"})
    assert twice.status_code == 409


def test_a_pull_is_paused_resumed_and_outlives_its_worker(hub: Hub, ollama_server: ollama.Client) -> None:
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
    assert model["location"] == "ollama" and model["size"] >= OLLAMA_SIZE
    assert [held.model for held in ollama_server.list().models] == ["tiny:1b"]


def test_a_model_of_the_library_becomes_one_there(hub: Hub, ollama_server: ollama.Client) -> None:
    deploy(hub, "org/tiny-llama-gguf", "talk-gguf")
    model = next(m for m in hub.get("/models?limit=200")["items"] if m["ref"] == "org/tiny-llama-gguf")
    job = hub.post("/ollama/models", {"name": "from-the-hub", "model_id": model["id"], "system": "Be brief."})
    ended = hub.until(f"/jobs/{job['id']}", lambda j: j["state"] in ("completed", "failed"))
    assert ended["state"] == "completed", ended
    shown = ollama_server.show("from-the-hub")
    assert shown.modelinfo and shown.modelinfo["general.architecture"] == "llama"


def test_the_real_client_talks_to_a_real_model(hub: Hub) -> None:
    deploy(hub, "org/tiny-llama-gguf", "talk-gguf")
    key = hub.post("/api-keys", {"name": "ollama", "scopes": ["chat.use"]})["key"]
    client = ollama.Client(host=f"{hub.url}/ollama", headers={"Authorization": f"Bearer {key}"})
    assert "talk-gguf:latest" in [model.model for model in client.list().models]
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
