"""Models in folders of this machine: what is found, what may be used, and how it is adopted or copied."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.extensions import settings
from api.services import fetching, jobs, library, verify
from integrations import permitted
from integrations.folders import scan
from integrations.permitted import Permitted
from tests.support.downloads import GGUF_HEADER, weights
from tests.support.people import user
from tests.support.sender import Sender, sha256

COMMIT = "c" * 40
WEIGHTS = weights(1200)
GGUF = GGUF_HEADER + os.urandom(1000)
CONFIG = b'{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}'


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def hf_cache(root: Path, weights: bytes = WEIGHTS) -> Path:
    """As huggingface_hub leaves it: links from the snapshot to blobs, the large ones named by SHA-256."""
    repo = root / "models--org--tiny"
    blobs = {"model.safetensors": (sha256(WEIGHTS), weights), "config.json": ("a" * 40, CONFIG)}
    snapshot = repo / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name, (blob, content) in blobs.items():
        put(repo / "blobs" / blob, content)
        (snapshot / name).symlink_to(Path("../../blobs") / blob)
    put(repo / "refs" / "main", COMMIT.encode())
    return snapshot


def ollama_store(root: Path) -> Path:
    put(root / "blobs" / f"sha256-{sha256(GGUF)}", GGUF)
    weights = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{sha256(GGUF)}"}
    manifest = root / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "1b"
    layers = [weights, {"mediaType": "x", "digest": "sha256:y"}]
    return put(manifest, json.dumps({"layers": layers}).encode())


@pytest.fixture
def disk(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A permitted
    folder. What is said to the application reaches the children by the settings."""
    monkeypatch.setattr(jobs, "ring", lambda *_: None)
    root = tmp_path / "disk"
    root.mkdir()
    settings().__dict__["permitted"] = Permitted(folders=(root,), home=settings().home)
    permitted.say(settings().permitted)
    yield root
    permitted.say(Permitted())


@pytest.fixture
def hub(app: Flask) -> Sender:
    return Sender(app, user(app, "operator", "operator"))


def bring(hub: Sender, path: Path | str, wanted: int = 202, **options: Any) -> Any:
    body = {"source": "folder", "ref": str(path), "options": options}
    made = hub("POST", "downloads", wanted, json=body)
    if wanted != 202:
        return made
    fetching.run(made["job_id"])
    return hub("GET", f"downloads/{made['id']}")


def test_every_layout_is_found(disk: Path, hub: Sender) -> None:
    snapshot = hf_cache(disk / "hf")
    manifest = ollama_store(disk / "ollama")
    lm = put(disk / "lm" / "publisher" / "model-GGUF" / "x-Q4.gguf", GGUF).parent
    put(disk / "plain" / "adapter" / "adapter_config.json", b"{}")
    put(disk / "plain" / "adapter" / "adapter_model.safetensors", WEIGHTS)
    put(disk / "plain" / "nothing.txt", b"x")
    (disk / "plain" / "loop").symlink_to(disk)
    answer = hub("GET", "folders/scan")
    found = {each["path"]: each for each in answer["found"]}
    assert answer["folders"] == [str(disk)] and not answer["truncated"]
    hf = found[str(snapshot)]
    assert (hf["name"], hf["ref"], hf["revision"], hf["commit"]) == ("org/tiny", "org/tiny", "main", COMMIT)
    assert hf["size"] == len(WEIGHTS) + len(CONFIG) and hf["adoptable"] and hf["layout"] == "huggingface"
    ollama = found[str(manifest)]
    assert (ollama["name"], ollama["kind"], ollama["adoptable"]) == ("tiny:1b", "gguf", False)
    assert (found[str(lm)]["name"], found[str(lm)]["kind"]) == ("publisher/model-GGUF", "gguf")
    assert found[str(disk / "plain" / "adapter")]["kind"] == "adapter"
    assert len(found) == 4


def test_an_adopted_model_stays_where_it_is(disk: Path, hub: Sender) -> None:
    snapshot = hf_cache(disk)
    before = {path: path.lstat().st_mtime_ns for path in disk.rglob("*")}
    done = bring(hub, snapshot)
    assert (done["status"], done["name"]) == ("completed", "org/tiny"), done
    model = hub("GET", f"models/{done['model_id']}")
    assert (model["location"], model["path"], model["commit"]) == ("external", str(snapshot), COMMIT)
    assert model["architecture"] == "LlamaForCausalLM", "facts are read through the cache's links"
    assert {file["path"]: file["sha256"] for file in model["files"]} == {
        "model.safetensors": sha256(WEIGHTS), "config.json": sha256(CONFIG)
    }  # fmt: skip
    assert not list(settings().blobs_dir.rglob("*")) and not list(settings().models_dir.iterdir())
    [found] = hub("GET", "folders/scan")["found"]
    assert found["model_id"] == model["id"]
    bring(hub, snapshot, 409)
    hub("DELETE", f"models/{model['id']}")
    assert {path: path.lstat().st_mtime_ns for path in disk.rglob("*")} == before, "nothing is changed there"


def test_a_copy_is_the_hubs_own(disk: Path, hub: Sender) -> None:
    manifest = ollama_store(disk)
    assert "Copy it" in bring(hub, manifest, 422, mode="adopt")["message"]
    done = bring(hub, manifest, mode="copy", name="mine")
    model = hub("GET", f"models/{done['model_id']}")
    copy, original = Path(model["path"]) / "tiny-1b.gguf", disk / "blobs" / f"sha256-{sha256(GGUF)}"
    assert copy.read_bytes() == GGUF and not copy.samefile(original) and model["name"] == "mine"
    original.write_bytes(b"other")
    assert copy.read_bytes() == GGUF


def test_a_damaged_blob_is_not_believed_by_its_name(disk: Path, hub: Sender) -> None:
    done = bring(hub, hf_cache(disk, weights=WEIGHTS[:-1] + b"?"))
    assert done["status"] == "failed" and done["error"]["code"] == "CHECKSUM_MISMATCH"
    assert list(disk.rglob("*.safetensors")), "what is not ours is left as it is"


def test_nothing_outside_the_permitted_folders(disk: Path, hub: Sender, tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "secret.gguf", GGUF)
    (disk / "way").symlink_to(outside.parent)
    inside = put(disk / "model" / "x.gguf", GGUF).parent
    (inside / "y.gguf").symlink_to(outside)
    own = put(settings().models_dir / "0" / "x.gguf", GGUF).parent
    for path in (outside.parent, disk / "way", disk / ".." / "outside", own, "/", "/etc"):
        assert bring(hub, path, 403)["error"] == "ACCESS_DENIED"
        hub("GET", f"folders/scan?path={path}", 403)
    for path in ("x", "", "/\0", "~root/x"):
        assert bring(hub, path, 400 if "\0" in path else 422)
    [found] = hub("GET", "folders/scan")["found"]
    assert [file["path"] for file in found["files"]] == ["x.gguf"]
    # A link put there between the plan and the work leads nowhere either.
    made = hub("POST", "downloads", 202, json={"source": "folder", "ref": str(inside)})
    (inside / "x.gguf").unlink()
    (inside / "x.gguf").symlink_to(outside)
    fetching.run(made["job_id"])
    assert hub("GET", f"downloads/{made['id']}")["error"]["code"] == "ACCESS_DENIED"


def test_the_hubs_own_folder_is_never_looked_into(app: Flask, disk: Path) -> None:
    put(settings().models_dir / "0" / "x.gguf", GGUF)
    above = Permitted(folders=(settings().home.parent,), home=settings().home)
    assert not scan(settings().home.parent, above).found


def test_what_changes_while_it_waits_is_not_taken(disk: Path, hub: Sender) -> None:
    folder = put(disk / "m" / "x.gguf", GGUF).parent
    made = hub("POST", "downloads", 202, json={"source": "folder", "ref": str(folder)})
    (folder / "x.gguf").write_bytes(GGUF + b"more")
    fetching.run(made["job_id"])
    assert hub("GET", f"downloads/{made['id']}")["error"]["code"] == "CHECKSUM_MISMATCH"


def test_who_may_not_use_folders_cannot(app: Flask, disk: Path) -> None:
    other = Sender(app, user(app, "other", "user"))
    put(disk / "m" / "x.gguf", GGUF)
    other("GET", "folders/scan", 403)
    bring(other, disk / "m", 403)


def test_a_look_is_bounded(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        put(disk / f"m{number}" / "x.gguf", GGUF)
    monkeypatch.setattr("integrations.folders.looking.MAX_ENTRIES", 20)
    answer = scan(disk, Permitted(folders=(disk,)))
    assert answer.truncated and len(answer.found) < 30


def test_an_adopted_models_files_are_where_an_engine_looks(disk: Path, hub: Sender) -> None:
    from api.extensions import db
    from api.models import HubModel

    done = bring(hub, put(disk / "m" / "x.gguf", GGUF).parent)
    assert (library.directory(db.session.get_one(HubModel, done["model_id"])) / "x.gguf").is_file()


def test_what_becomes_of_an_adopted_models_files_is_told_and_only_of_it(disk: Path, hub: Sender) -> None:
    folder = put(disk / "m" / "x.gguf", GGUF).parent
    copied, adopted = bring(hub, folder, mode="copy"), bring(hub, folder)
    (folder / "x.gguf").write_bytes(GGUF[:-1] + b"?")
    job = hub("POST", "storage/verify", 202, json={"model_id": adopted["model_id"]})
    verify.run(job["id"])
    assert hub("GET", f"models/{adopted['model_id']}")["status"] == "damaged"
    assert hub("GET", f"models/{copied['model_id']}")["status"] == "ready", "the store's copy is another file"
    assert list(settings().blobs_dir.glob(f"*/{sha256(GGUF)}"))
    assert "changes nothing there" in hub("POST", f"models/{adopted['model_id']}/repair", 409)["message"]
    (folder / "x.gguf").write_bytes(GGUF)
    job = hub("POST", "storage/verify", 202, json={"model_id": adopted["model_id"]})
    verify.run(job["id"])
    assert hub("GET", f"models/{adopted['model_id']}")["status"] == "ready"
