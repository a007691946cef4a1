"""Models from this machine to a real hub: pushed, killed in the middle, pushed again; scanned and adopted."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Terminal
from tests.support import tiny_models
from tests.support.downloads import GGUF_HEADER
from tests.support.hub_process import Hub, start_hub

COMMIT = "c" * 40
PIECE = 8 << 20
WEIGHTS = GGUF_HEADER + os.urandom(1 << 20) * 80


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the hub's machine with a model in it."""
    root = tmp_path_factory.mktemp("disk")
    model = root / "publisher" / "here"
    model.mkdir(parents=True)
    (model / "here.gguf").write_bytes(WEIGHTS[:100_000])
    return root


@pytest.fixture(scope="module")
def hub(disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    running = start_hub(
        tmp_path_factory.mktemp("hub") / "home", {"MODELHUB_FOLDERS": json.dumps([str(disk)])}
    )
    yield running
    running.stop()


@pytest.fixture
def here(terminal: Terminal, hub: Hub) -> Terminal:
    terminal.environment["MODELHUB_HOME"] = str(hub.home)
    return terminal


@pytest.fixture(scope="module")
def snapshot(disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real model as the Hugging Face cache keeps it: links to blobs."""
    llama = tiny_models.llama(tmp_path_factory.mktemp("made") / "llama")
    repo = disk / "hf" / "models--org--tiny"
    (repo / "blobs").mkdir(parents=True)
    (repo / "snapshots" / COMMIT).mkdir(parents=True)
    for file in llama.iterdir():
        blob = hashlib.sha256(file.read_bytes()).hexdigest()
        file.rename(repo / "blobs" / blob)
        (repo / "snapshots" / COMMIT / file.name).symlink_to(f"../../blobs/{blob}")
    return repo / "snapshots" / COMMIT


def under_way(hub: Hub) -> list[Any]:
    return list(hub.get("/uploads?status=open")["items"])


def test_a_push_that_is_killed_goes_on_where_it_was(here: Terminal, hub: Hub, tmp_path: Path) -> None:
    model = tmp_path / "mine"
    (model / "sub").mkdir(parents=True)
    (model / "weights.gguf").write_bytes(WEIGHTS)
    (model / "sub" / "notes.txt").write_text("notes")
    (model / ".git").mkdir()
    (model / ".git" / "config").write_text("x")
    dry = here.run("push", str(model), "--dry-run", "--json").json
    assert {file["path"] for file in dry["files"]} == {"weights.gguf", "sub/notes.txt"} and not under_way(hub)
    first = here.popen("push", str(model), "--json")
    deadline = time.monotonic() + 60
    while not any(PIECE < item["bytes_done"] < item["size"] for item in under_way(hub)):
        assert time.monotonic() < deadline and first.poll() is None, first.communicate()
        time.sleep(0.01)
    first.kill()
    first.communicate()
    [upload] = under_way(hub)
    assert PIECE <= upload["bytes_done"] < upload["size"]
    # A web worker that dies costs a repetition, not the upload.
    second = here.popen("push", str(model), "--json")
    for process in hub.parts("gunicorn")[1:]:
        process.kill()
    out, said = second.communicate(timeout=120)
    assert second.returncode == 0, said
    assert "Going on" in said
    done = json.loads(out.splitlines()[-1])
    assert (done["status"], done["source"], done["name"]) == ("completed", "upload", "mine")
    found = hub.get(f"/models/{done['model_id']}")
    assert {file["path"]: file["sha256"] for file in found["files"]} == {
        "weights.gguf": hashlib.sha256(WEIGHTS).hexdigest(),
        "sub/notes.txt": hashlib.sha256(b"notes").hexdigest(),
    }
    assert (Path(found["path"]) / "weights.gguf").read_bytes() == WEIGHTS and not under_way(hub)
    # What is here already is told, and not sent again.
    again = here.run("push", str(model), "--json")
    assert again.code == 0 and again.lines[-1]["model_id"] == done["model_id"] and not under_way(hub)


def test_an_interrupted_push_is_given_up(here: Terminal, hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "other.gguf"
    file.write_bytes(b"GGUF0")
    listed = [{"path": "other.gguf", "size": 5}]
    hub.post("/uploads", {"name": "other", "files": listed})
    assert here.run("push", str(file), "--give-up").code == 0 and not under_way(hub)
    # The same name and size with another content is another file: what was sent of the old one is left alone.
    hub.post("/uploads", {"name": "other", "files": [listed[0] | {"sha256": "0" * 64}]})
    pushed = here.run("push", str(file), "--json")
    assert pushed.code == 0 and "Going on" not in pushed.err, pushed
    [left] = under_way(hub)
    hub.delete(f"/uploads/{left['id']}")
    assert here.run("push", str(file), "--give-up").code == 5
    (tmp_path / "empty").mkdir()
    assert here.run("push", str(tmp_path / "empty")).code == 2


def test_what_lies_on_the_hubs_machine_is_found_and_adopted(here: Terminal, hub: Hub, disk: Path) -> None:
    [found] = here.run("scan", str(disk / "publisher"), "--json").json["found"]
    assert (found["name"], found["adoptable"], found["model_id"]) == ("here", True, None)
    assert "publisher/here" in here.run("scan", str(disk)).out
    done = here.run("adopt", found["path"], "--json")
    assert done.code == 0, done.err
    model = hub.get(f"/models/{done.lines[-1]['model_id']}")
    assert (model["location"], model["path"]) == ("external", found["path"])
    copied = here.run("adopt", found["path"], "--copy", "--name", "copy")
    assert copied.code == 0 and "copy is copied" in copied.out, copied
    assert here.run("adopt", "/etc").code == 1


def test_what_the_hugging_face_cache_has_answers_from_there(
    here: Terminal, hub: Hub, snapshot: Path, disk: Path
) -> None:
    done = here.run("adopt", str(snapshot), "--json")
    assert done.code == 0, done.err
    model = hub.get(f"/models/{done.lines[-1]['model_id']}")
    assert (model["name"], model["commit"], model["path"]) == ("org/tiny", COMMIT, str(snapshot))
    made = hub.post("/deployments", {"model_id": model["id"], "name": "tiny", "runtime": "process"})
    found = hub.until(f"/deployments/{made['id']}", lambda it: it["status"] in ("running", "failed"))
    assert found["status"] == "running", found["error"]  # it has said one real token
    hub.delete(f"/deployments/{made['id']}")
    hub.until("/deployments", lambda page: not page["items"])
    hub.delete(f"/models/{model['id']}")
    assert (snapshot / "model.safetensors").is_file(), "what is not the hub's own stays"
