"""The library is hashed again, what is damaged is told and healed, and what belongs to nobody is removed."""

import hashlib
from pathlib import Path

import pytest
from flask import Flask

from api.errors import Conflict, Forbidden
from api.extensions import db, settings
from api.models import Blob, Download, HubModel, Job, ModelVersion
from api.models.base import new_id
from api.schemas.storage import VerifyRequest
from api.security.authorise import identify
from api.services import fetching, garbage, jobs, library, store, verify
from api.unit_of_work import unit_of_work
from integrations import children
from tests.support.fixtures import hub, model_shelf  # noqa: F401
from tests.support.hub import Hub
from tests.support.people import user

SHA256 = hashlib.sha256(b"the same content").hexdigest()


def shelve(name: str, owner: str | None, content: bytes = b"the same content") -> ModelVersion:
    """A model of two files, as the end of a download leaves it."""
    directory = settings().models_dir / name
    directory.mkdir()
    (directory / "model.bin").write_bytes(content)
    (directory / "other.bin").write_bytes(name.encode())
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}
    version = library.describe_directory(
        directory, {"files": [], "revision": "main", "commit": "0" * 40}, sums
    )
    store.keep(directory, version.files)
    with unit_of_work() as after_commit:
        model = HubModel(id=name, name=name, source="huggingface", ref=name, user_id=owner)
        library.add(after_commit, version, model)
        store.record(db.session.get_one(ModelVersion, version.id))
    return version


def verified(who: object, model_id: str | None = None) -> Job:
    job = verify.request(VerifyRequest(model_id=model_id), who)  # type: ignore[arg-type]
    verify.run(job.id)
    return jobs.find(job.id)


def spoil(path: Path) -> None:
    """One bit, as a disk does it: every link to the content sees it."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))


@pytest.fixture
def admin(app: Flask) -> object:
    return identify(user(app, "keeper", "admin").token)


def test_all_is_right_and_says_when(app: Flask, admin: object) -> None:
    shelve("one", None)
    shelve("two", None)
    job = verified(admin)
    assert job.state == "completed" and job.progress["checked"] == 3, "the same content is read once"
    assert job.progress["damaged"] == []
    assert {version.verified_at is not None for version in db.session.query(ModelVersion)} == {True}
    assert not (settings().children_dir / f"verify-{job.id}").exists()


def test_one_flipped_bit_is_found_in_every_model_that_holds_it(app: Flask, admin: object) -> None:
    shelve("one", None)
    shelve("two", None)
    shelve("three", None, b"something else")
    spoil(settings().models_dir / "one" / "model.bin")
    (settings().models_dir / "three" / "other.bin").unlink()
    job = verified(admin)
    damaged = {item["name"]: item["files"] for item in job.progress["damaged"]}
    assert damaged == {"one": ["model.bin"], "two": ["model.bin"]}, "a lost name is simply given again"
    assert (settings().models_dir / "three" / "other.bin").read_bytes() == b"three"
    assert {m.name: m.status for m in db.session.query(HubModel)} == {
        "one": "damaged", "two": "damaged", "three": "ready",
    }  # fmt: skip
    assert db.session.get_one(Blob, SHA256).status == "damaged"
    assert not store.blobs().has(SHA256), "nothing becomes a link to it any more"
    spoil(settings().models_dir / "one" / "model.bin")  # the bit flips back
    store.blobs().take(settings().models_dir / "one" / "model.bin", SHA256)
    assert verified(admin).progress["damaged"] == []
    assert {m.status for m in db.session.query(HubModel)} == {"ready"}


def test_everybody_verifies_what_they_may_change(app: Flask) -> None:
    mine, other = user(app, "mine", "user"), user(app, "other", "user")
    shelve("one", mine.id)
    with pytest.raises(Forbidden, match="Name one of yours"):
        verify.request(VerifyRequest(), identify(mine.token))
    with pytest.raises(Exception, match="no model"):
        verify.request(VerifyRequest(model_id="one"), identify(other.token))
    verify.request(VerifyRequest(model_id="one"), identify(mine.token))
    with pytest.raises(Conflict, match="already"):
        verify.request(VerifyRequest(model_id="one"), identify(mine.token))


def test_what_was_found_right_is_not_read_again_after_a_kill(app: Flask, tmp_path: Path) -> None:
    files = []
    for n in range(3):
        path = tmp_path / f"{n}.bin"
        path.write_bytes(bytes([n]) * 100_000)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        files.append({"path": str(path), "size": 100_000, "sha256": sha256})
    directory = tmp_path / "child"
    spec = {"job_id": "x", "files": files, "done": str(directory / "right")}
    assert children.start(directory, verify.MODULE, spec).wait(20)
    spoil(tmp_path / "0.bin")
    (directory / "right").write_text("\n".join((directory / "right").read_text().split("\n")[:1]) + "\n")
    spoil(tmp_path / "1.bin")
    assert children.start(directory, verify.MODULE, spec).wait(20)
    said = children.last_event(directory) or {}
    assert said["damaged"] == [files[1]["sha256"]], "the first was right when it was read"


def test_repair_fetches_only_what_is_damaged(app: Flask, admin: object, hub: Hub) -> None:  # noqa: F811
    from api.schemas.downloads import DownloadRequest
    from api.services import downloads

    app.extensions["modelhub_settings"].hf_endpoint = hub.url
    brought = downloads.request(DownloadRequest(ref="org/tiny-llama"), admin)  # type: ignore[arg-type]
    fetching.run(brought.job_id)
    model = db.session.get_one(HubModel, db.session.get_one(Download, brought.id).model_id)
    weights = settings().models_dir / model.path / "model.safetensors"
    right = weights.read_bytes()
    spoil(weights)
    with pytest.raises(Conflict):
        verify.repair(model.id, admin)  # type: ignore[arg-type]
    verified(admin, model.id)
    assert db.session.get_one(HubModel, model.id).status == "damaged"
    hub.clear()
    again = verify.repair(model.id, admin)  # type: ignore[arg-type]
    fetching.run(again.job_id)
    db.session.expire_all()
    assert jobs.find(again.job_id).state == "completed", jobs.find(again.job_id).error
    assert db.session.get_one(HubModel, model.id).status == "ready"
    assert weights.read_bytes() == right
    assert [entry["path"] for entry in hub.requests() if "resolve" in entry["path"]] == [
        f"/org/tiny-llama/resolve/{model.commit}/model.safetensors"
    ]
    assert db.session.query(ModelVersion).count() == 1 and not (settings().models_dir / again.id).exists()
    assert verified(admin, model.id).progress["damaged"] == []


def test_garbage_is_shown_and_then_removed_and_nothing_else(app: Flask, tmp_path: Path) -> None:
    shelve("one", None)
    loose = tmp_path / "loose.bin"
    loose.write_bytes(b"nobody refers to this")
    sha256 = hashlib.sha256(loose.read_bytes()).hexdigest()
    store.blobs().take(loose, sha256)
    loose.unlink()
    parts = settings().incoming_dir / new_id()
    parts.mkdir()
    (parts / "part").write_bytes(b"x" * 10_000)
    assert garbage.show().count == 0, "both may belong to work whose row is not written yet"
    shown = garbage.show(age=0)
    assert {item.kind for item in shown.items} == {"content", "incoming"} and not shown.reclaimed
    assert parts.exists() and store.blobs().has(sha256)
    gone = garbage.reclaim(age=0)
    assert gone.reclaimed and (gone.count, gone.bytes) == (shown.count, shown.bytes)
    assert not parts.exists() and not store.blobs().has(sha256)
    assert garbage.show(age=0).count == 0
    assert (settings().models_dir / "one" / "model.bin").read_bytes() == b"the same content"
    assert store.blobs().has(SHA256)
