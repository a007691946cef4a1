"""The Ollama server as the hub works with it: downloads, the library's entries, and what is made there."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.extensions import db, settings
from api.models import Download, HubModel, Job, ModelVersion
from api.models.base import new_id
from api.security.authorise import Identity, identify
from api.services import fetching, jobs, library, ollama, ollama_making, store
from api.unit_of_work import unit_of_work
from integrations.ollama.facts import version_facts
from tests.support import things
from tests.support.ollama_server import OllamaServer, library_model
from tests.support.people import user


@pytest.fixture
def server(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaServer]:
    monkeypatch.setattr(jobs, "ring", lambda *_: None)
    with OllamaServer(tmp_path / "ollama") as running:
        running.registry["tiny:1b"] = library_model(100_000)
        settings().ollama_host = running.url
        monkeypatch.setenv("OLLAMA_HOST", running.url)
        yield running


@pytest.fixture
def hub(app: Flask, token: str) -> Any:
    """Calls of the API by the administrator."""

    class Hub:
        def __call__(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
            headers = {"Authorization": f"Bearer {token}"}
            answer = app.test_client().open(f"/api/v1/{path}", method=method, headers=headers, json=body)
            said = answer.get_json()
            assert answer.status_code == status if status else answer.status_code < 300, said
            return said.get("data", said) if answer.status_code < 300 else said

        def pull(self, ref: str = "tiny:1b") -> dict[str, Any]:
            made = self("POST", "downloads", {"source": "ollama", "ref": ref})
            fetching.run(made["job_id"])
            return dict(self("GET", f"downloads/{made['id']}"))

    return Hub()


@pytest.fixture
def admin(token: str) -> Identity:
    return identify(token)


def entry(ref: str = "tiny:1b") -> str:
    """What a pull leaves behind, without a child of its own."""
    asked = ollama.server()
    list(asked.pull(ref))
    facts = version_facts(asked.find(ref), asked.show(ref))
    version = ModelVersion(id=new_id(), path="", location="ollama", remote_code=[], **facts)
    model = HubModel(id=version.id, name=ref, source="ollama", ref=ref)
    with unit_of_work() as after_commit:
        return str(library.add(after_commit, version, model).id)


def test_a_pull_becomes_an_entry_of_the_library(server: OllamaServer, hub: Any) -> None:
    done = hub.pull()
    assert done["status"] == "completed" and done["bytes_done"] == done["bytes_total"] > 100_000
    model = hub("GET", f"models/{done['model_id']}")
    assert (model["name"], model["location"], model["kind"]) == ("tiny:1b", "ollama", "gguf")
    assert (model["path"], model["files"], model["license"]) == ("", [], "apache-2.0")
    assert model["commit"] == server.store.models["tiny:1b"]["digest"]
    assert model["size"] == server.store.size("tiny:1b") and model["parameters"] and model["context_length"]
    assert hub("GET", "ollama")["models"][0]["model_id"] == model["id"]
    assert not (settings().models_dir / done["id"]).exists()


def test_pulling_again_renews_the_entry(server: OllamaServer, hub: Any) -> None:
    first = hub.pull()["model_id"]
    server.registry["tiny:1b"] = library_model(120_000, seed="newer")
    assert hub.pull()["model_id"] == first
    model = db.session.get(HubModel, first)
    assert model and model.commit == server.store.models["tiny:1b"]["digest"]
    assert db.session.query(ModelVersion).count() == 1, "a name means one build there"


def test_a_full_server_pauses_the_download_and_it_goes_on(server: OllamaServer, hub: Any) -> None:
    server.trouble.room = 60_000
    made = hub("POST", "downloads", {"source": "ollama", "ref": "tiny:1b"})
    fetching.run(made["job_id"])
    paused = hub("GET", f"downloads/{made['id']}")
    assert (paused["status"], paused["error"]["code"]) == ("paused", "OUT_OF_SPACE")
    server.trouble.room = None
    hub("POST", f"downloads/{made['id']}/resume")
    fetching.run(made["job_id"])
    done = hub("GET", f"downloads/{made['id']}")
    assert done["status"] == "completed"


def test_a_full_disk_of_the_hub_is_none_of_its_business(server: OllamaServer, hub: Any) -> None:
    settings().disk_reserve = 10**18
    assert hub.pull()["status"] == "completed"


def test_what_is_gone_there_is_no_lie_here(server: OllamaServer, hub: Any) -> None:
    id = entry()
    server.store.remove("tiny:1b")
    ollama.reconcile(now=True)
    model = hub("GET", f"models/{id}")
    assert model["status"] == "damaged" and model["warnings"] == [ollama.GONE]
    version = model["version"]
    ollama.reconcile(now=True)
    assert hub("GET", f"models/{id}")["version"] == version, "said once"
    assert hub.pull()["model_id"] == id
    assert hub("GET", f"models/{id}")["status"] == "ready"
    ollama.reconcile(now=True)
    assert hub("GET", f"models/{id}")["warnings"] == []


def test_another_build_there_is_said(server: OllamaServer, hub: Any) -> None:
    id = entry()
    server.registry["tiny:1b"] = library_model(90_000, seed="other")
    list(ollama.server().pull("tiny:1b"))
    ollama.reconcile(now=True)
    model = hub("GET", f"models/{id}")
    assert model["status"] == "ready" and model["warnings"] == [ollama.OTHER]


def test_a_server_that_is_away_changes_nothing(server: OllamaServer, hub: Any) -> None:
    id = entry()
    server.stop()
    ollama.reconcile(now=True)
    assert hub("GET", f"models/{id}")["status"] == "ready"
    status = hub("GET", "ollama")
    assert not status["reachable"] and "No Ollama server answers" in status["error"]["message"]
    assert "No Ollama server" in hub("DELETE", f"models/{id}?on_server=true", status=502)["message"]
    hub("GET", f"models/{id}")
    hub("POST", "downloads", {"source": "ollama", "ref": "other"}, status=502)


def test_deleting_here_leaves_it_there_unless_asked(server: OllamaServer, hub: Any) -> None:
    hub("DELETE", f"models/{entry()}")
    assert "tiny:1b" in server.store.models
    hub("DELETE", f"models/{entry()}?on_server=true")
    assert not server.store.models and db.session.query(HubModel).count() == 0
    own = things.make("model", None)
    assert "Leave `on_server` out" in hub("DELETE", f"models/{own}?on_server=true", status=422)["message"]


def test_who_may_not_manage_the_server_deletes_only_here(app: Flask, server: OllamaServer, hub: Any) -> None:
    entry()
    person = user(app, "ada", "user")
    with unit_of_work():
        model = db.session.query(HubModel).one()
        model.user_id = person.id
    headers = {"Authorization": f"Bearer {person.token}"}
    id = db.session.query(HubModel).one().id
    db.session.rollback()
    assert app.test_client().delete(f"/api/v1/models/{id}?on_server=1", headers=headers).status_code == 403
    assert app.test_client().delete(f"/api/v1/models/{id}", headers=headers).status_code == 200
    assert "tiny:1b" in server.store.models


def test_it_is_not_deployed_from_there(server: OllamaServer, hub: Any) -> None:
    id = entry()
    said = hub("POST", "deployments", {"model_id": id, "name": "x"}, status=422)
    assert "lies on the Ollama server" in said["message"] and "bring in its GGUF" in said["message"]


def test_the_server_through_the_api(server: OllamaServer, hub: Any) -> None:
    id = entry()
    assert hub("GET", "ollama/models/tiny:1b")["family"] == "llama"
    hub("POST", "ollama/models/tiny:1b/copy", {"to": "second"})
    assert "second:latest" in server.store.models
    hub("DELETE", "ollama/models/tiny:1b")
    assert hub("GET", f"models/{id}")["status"] == "damaged", "known at once"
    hub("GET", "ollama/models/tiny:1b", status=404)
    server.trouble.old = True
    status = hub("GET", "ollama")
    assert status["reachable"] and "too old" in status["warnings"][0]


def shelve(name: str, files: dict[str, bytes], kind: str = "gguf") -> str:
    directory = settings().models_dir / name
    proven = {}
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
        proven[path] = hashlib.sha256(content).hexdigest()
    version = library.describe_directory(
        directory, {"files": [], "revision": "main", "commit": "0" * 40}, proven
    )
    version.kind = kind
    store.keep(directory, version.files)
    with unit_of_work() as after_commit:
        library.add(after_commit, version, HubModel(id=name, name=name, source="starter", ref=name))
    return name


GGUF = library_model(3_000_000).layers[0].content


def create(hub: Any, **body: Any) -> dict[str, Any]:
    job = hub("POST", "ollama/models", {"name": "made", **body})
    ollama_making.run(job["id"])
    return dict(hub("GET", f"jobs/{job['id']}"))


def test_a_gguf_becomes_a_model_there(server: OllamaServer, hub: Any) -> None:
    id = shelve("mine", {"mine.Q8_0.gguf": GGUF, "README.md": b"# Mine"})
    done = create(hub, model_id=id, system="Be brief.", parameters={"temperature": 0.5, "stop": ["###"]})
    assert done["state"] == "completed", done["error"]
    assert done["progress"]["bytes_done"] == len(GGUF) and done["progress"]["name"] == "made:latest"
    shown = hub("GET", "ollama/models/made")
    assert '"###"' in shown["settings"] and "0.5" in shown["settings"]
    sent = [asked["method"] for asked in server.requests("/api/blobs/")]
    again = create(hub, model_id=id)
    assert again["state"] == "completed"
    assert [asked["method"] for asked in server.requests("/api/blobs/")] == [*sent, "HEAD"], "not sent twice"


def test_one_of_several_ggufs_has_to_be_named(server: OllamaServer, hub: Any) -> None:
    files = {"a.Q4_K_M.gguf": b"GGUF4", "a.Q8_0.gguf": b"GGUF8", "mmproj-a.gguf": b"GGUFp"}
    id = shelve("several", files)
    assert (
        "Say which with `file`" in hub("POST", "ollama/models", {"name": "x", "model_id": id}, 422)["message"]
    )
    hub("POST", "ollama/models", {"name": "x", "model_id": id, "file": "../a"}, 422)
    job = hub("POST", "ollama/models", {"name": "x", "model_id": id, "file": "a.Q8_0.gguf"})
    chosen = db.session.get(Job, job["id"]).params["files"]
    assert [file["name"] for file in chosen] == ["a.Q8_0.gguf", "mmproj-a.gguf"]


def test_shards_go_together(server: OllamaServer, hub: Any) -> None:
    id = shelve("shards", {f"a-0000{n}-of-00002.gguf": b"GGUF%d" % n for n in (1, 2)})
    job = hub("POST", "ollama/models", {"name": "x", "model_id": id})
    assert len(db.session.get(Job, job["id"]).params["files"]) == 2


def test_safetensors_and_what_a_new_server_says_to_them(server: OllamaServer, hub: Any) -> None:
    files = {"model.safetensors": b"\2\0\0\0\0\0\0\0{}", "config.json": b"{}", "notes.md": b"x"}
    id = shelve("tensors", files, "base")
    assert create(hub, model_id=id)["state"] == "completed"
    asked = server.requests("/api/create")[-1]["body"]
    assert set(asked["files"]) == {"model.safetensors", "config.json"}
    server.trouble.newest = True
    refused = create(hub, model_id=id)
    assert refused["state"] == "failed" and "Bring the model in as GGUF" in refused["error"]["message"]


def test_an_adapter_needs_its_base_there(server: OllamaServer, hub: Any) -> None:
    entry()
    files = {"adapter_model.safetensors": b"\2\0\0\0\0\0\0\0{}", "adapter_config.json": b"{}"}
    id = shelve("adapter", files, "adapter")
    assert (
        "needs its base model" in hub("POST", "ollama/models", {"name": "x", "model_id": id}, 422)["message"]
    )
    done = create(hub, model_id=id, base="tiny:1b")
    assert done["state"] == "completed", done["error"]
    asked = server.requests("/api/create")[-1]["body"]
    assert asked["from"] == "tiny:1b" and set(asked["adapters"]) == set(files)
    server.trouble.newest = True
    refused = create(hub, model_id=id, base="tiny:1b")
    assert "takes no adapters any more" in refused["error"]["message"]


def test_making_fails_with_the_servers_reason(server: OllamaServer, hub: Any) -> None:
    id = shelve("mine", {"mine.gguf": GGUF})
    server.trouble.room = 1000
    failed = create(hub, model_id=id)
    assert failed["state"] == "failed" and failed["error"]["code"] == "OUT_OF_SPACE"
    server.trouble.room, server.trouble.old = None, True
    assert "too old" in create(hub, model_id=id)["error"]["message"]
    server.stop()
    hub("POST", "ollama/models", {"name": "x", "model_id": id}, 502)


def test_a_model_deleted_before_its_turn(server: OllamaServer, hub: Any) -> None:
    job = hub("POST", "ollama/models", {"name": "x", "model_id": shelve("mine", {"mine.gguf": GGUF})})
    hub("DELETE", "models/mine")
    ollama_making.run(job["id"])
    failed = hub("GET", f"jobs/{job['id']}")
    assert failed["state"] == "failed" and "deleted from the library since" in failed["error"]["message"]


def test_making_can_be_cancelled(server: OllamaServer, hub: Any) -> None:
    job = hub("POST", "ollama/models", {"name": "x", "model_id": shelve("mine", {"mine.gguf": GGUF})})
    server.trouble.silent = 3.0
    held = jobs.claim(job["id"], "test")
    assert held
    hub("POST", f"jobs/{job['id']}/cancel")
    directory = settings().children_dir / f"ollama-{job['id']}"
    ollama_making._carry_out(held, directory, jobs.find(job["id"]).params)
    assert hub("GET", f"jobs/{job['id']}")["state"] == "cancelled" and not directory.exists()
    assert not server.store.models


def test_somebody_elses_entry_is_not_renewed(app: Flask, server: OllamaServer, hub: Any) -> None:
    first = entry()
    person = user(app, "ada", "user")
    headers = {"Authorization": f"Bearer {person.token}"}
    asked = {"source": "ollama", "ref": "tiny:1b"}
    made = app.test_client().post("/api/v1/downloads", headers=headers, json=asked).get_json()["data"]
    fetching.run(made["job_id"])
    assert db.session.get(Download, made["id"]).model_id not in (None, first)
