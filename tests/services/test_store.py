"""One copy of every content, whoever refers to it."""

import hashlib
import os
from pathlib import Path

import pytest
from flask import Flask

from api.extensions import db, settings
from api.models import Blob, BlobRef, HubModel, ModelVersion
from api.services import library, store
from api.unit_of_work import unit_of_work
from integrations.blobs import LocalBlobs
from integrations.errors import IntegrityError, InvalidRef, NotFound
from integrations.sources.base import RemoteFile

TEXT = b"the same content"
SHA256 = hashlib.sha256(TEXT).hexdigest()


def file(path: Path, content: bytes = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_two_files_of_one_content_lie_once(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    first, second = file(tmp_path / "a" / "x.bin"), file(tmp_path / "b" / "y.bin")
    for each in (first, second, second):
        blobs.take(each, SHA256)
    assert first.samefile(second) and first.samefile(blobs.path(SHA256))
    assert blobs.path(SHA256).stat().st_nlink == 3
    assert blobs.remove(SHA256) == 0, "files of models still hold the bytes"
    assert first.read_bytes() == TEXT


def test_a_blob_that_is_damaged_is_not_taken_for_the_file(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    file(blobs.path(SHA256), b"short")
    whole = file(tmp_path / "x.bin")
    with pytest.raises(IntegrityError):
        blobs.take(whole, SHA256)
    assert whole.read_bytes() == TEXT


def test_a_store_without_hard_links_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "not permitted")

    monkeypatch.setattr(os, "link", refuse)
    blobs = LocalBlobs(tmp_path / "blobs")
    blobs.take(file(tmp_path / "x.bin"), SHA256)
    blobs.place(SHA256, tmp_path / "y" / "z.bin")
    assert (tmp_path / "y" / "z.bin").read_bytes() == TEXT
    assert sorted(path.name for path in (tmp_path / "y").iterdir()) == ["z.bin"]


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "/x", "a" * 64 + "\n"]
)
def test_only_a_hash_names_a_blob(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRef):
        LocalBlobs(tmp_path).path(name)


def shelve(name: str, content: bytes = TEXT) -> str:
    """A model of one file, as the end of a download leaves it."""
    directory = settings().models_dir / name
    file(directory / "model.bin", content)
    plan = {"files": [], "revision": "main", "commit": "0" * 40}
    version = library.describe_directory(directory, plan, {"model.bin": hashlib.sha256(content).hexdigest()})
    store.keep(directory, version.files)
    with unit_of_work() as after_commit:
        model = HubModel(id=name, name=name, source="starter", ref=name)
        library.add(after_commit, version, model)
        store.record(db.session.get_one(ModelVersion, version.id), {"model.bin": f"git of {len(content)}"})
    return name


def test_the_same_content_of_two_models_is_one_blob_with_two_references(app: Flask) -> None:
    for name in ("one", "two"):
        shelve(name)
    assert db.session.query(Blob).count() == 1 and db.session.query(BlobRef).count() == 2
    files = [settings().models_dir / name / "model.bin" for name in ("one", "two")]
    assert files[0].samefile(files[1])
    model = db.session.get(HubModel, "one")
    assert model and model.active_version_id == "one" and model.files[0]["sha256"] == SHA256


def test_what_is_here_need_not_be_fetched(app: Flask, tmp_path: Path) -> None:
    shelve("one")
    wanted = [
        RemoteFile(path="by-hash", size=len(TEXT), sha256=SHA256),
        RemoteFile(path="by-git", size=len(TEXT), git_sha1=f"git of {len(TEXT)}"),
        RemoteFile(path="other", size=3, sha256="0" * 64),
        RemoteFile(path="empty", size=0),
    ]
    known = store.known(wanted)
    assert known == {"by-hash": SHA256, "by-git": SHA256}
    store.place(tmp_path, known)
    assert (tmp_path / "by-git").read_bytes() == TEXT
    store.blobs().path(SHA256).unlink()
    assert store.known(wanted) == {}
    with pytest.raises(NotFound):
        store.place(tmp_path, {"again": SHA256})


def test_a_model_from_before_there_were_blobs_is_linked_at_the_next_start(app: Flask) -> None:
    shelve("one")
    with unit_of_work():
        db.session.query(BlobRef).delete()
        db.session.query(Blob).delete()
    store.blobs().path(SHA256).unlink()
    assert store.link_what_was_here_before() == 1
    assert store.link_what_was_here_before() == 0
    assert store.blobs().path(SHA256).samefile(settings().models_dir / "one" / "model.bin")
