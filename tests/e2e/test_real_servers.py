"""REDIS_URL and DATABASE_URL: the same hub on a real Redis and a real PostgreSQL."""

import threading
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import bring, deploy
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub, start_hub
from tests.support.servers import postgres, redis_server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def hub(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    directory = tmp_path_factory.mktemp("servers")
    with redis_server(directory) as redis_url, postgres(directory) as database_url:
        running = start_hub(
            directory / "home",
            {"HF_ENDPOINT": stand_in.url, "REDIS_URL": redis_url, "DATABASE_URL": database_url},
        )
        yield running
        running.stop()


def test_the_embedded_parts_are_not_used(hub: Hub) -> None:
    assert not hub.parts("valkey-server") and not hub.parts("redis-server")
    assert not (hub.home / "modelhub.db").exists()


def test_the_main_job_on_postgresql(hub: Hub) -> None:
    deployment = deploy(hub, "org/tiny-llama-gguf", "on-postgres")
    # The model's weights are random: sampled, its answer may be over before it says a word.
    options = {"max_tokens": 8, "temperature": 0}
    session = hub.post("/chat/sessions", {"deployment_id": deployment["id"], "options": options})
    answer = hub.post(f"/chat/sessions/{session['id']}/messages", {"content": "hello", "stream": False})
    assert answer["status"] == "complete" and answer["content"]
    assert hub.get("/jobs?state=completed")["items"]
    hub.delete(f"/chat/sessions/{session['id']}")
    hub.delete(f"/deployments/{deployment['id']}")
    hub.until("/deployments", lambda page: page["items"] == [])


def test_two_requests_at_once_make_one_download(hub: Hub) -> None:
    for model in hub.get("/models?limit=200")["items"]:
        if model["ref"] == "org/tiny-llama":
            hub.delete(f"/models/{model['id']}")
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(hub.request("POST", "/api/v1/downloads", json={"ref": "org/tiny-llama"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(statuses) == [202, 409, 409, 409, 409, 409]
    bring_again = hub.until("/downloads", lambda page: page["items"][0]["status"] == "completed")
    assert bring_again["items"][0]["model_id"] == bring(hub, "org/tiny-llama")["id"]
