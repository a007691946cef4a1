"""Models sent piece by piece: offsets, refusals, what the hub has already, and how it ends in the library."""

import base64
import fcntl
import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from api.extensions import db, settings
from api.models import HubModel, Reservation, Upload
from api.models.base import utcnow
from api.services import fetching, housekeeping, jobs
from api.unit_of_work import unit_of_work
from tests.support.downloads import GGUF_HEADER
from tests.support.hostile_names import HOSTILE
from tests.support.people import Person, user
from tests.support.sender import Sender, sha256

GGUF = GGUF_HEADER + os.urandom(300_000)
CONFIG = b'{"model_type": "llama"}'
CONTENTS = {"model.gguf": GGUF, "sub/config.json": CONFIG, "empty.txt": b""}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ring", lambda *_: None)


@pytest.fixture
def ada(app: Flask) -> Person:
    return user(app, "ada", "user")


@pytest.fixture
def send(app: Flask, ada: Person) -> Sender:
    return Sender(app, ada)


@pytest.mark.parametrize("hashes", [True, False])
def test_a_model_is_sent_and_comes_into_the_library(send: Sender, hashes: bool) -> None:
    upload = send.begin(CONTENTS, hashes=hashes)
    assert [file["offset"] for file in upload["files"]] == [0, 0, 0] and upload["chunk_size"] == 8 << 20
    assert send.piece(upload, 0, 0, GGUF[:100_000])["offset"] == 100_000
    assert send("GET", f"uploads/{upload['id']}/files/0")["offset"] == 100_000
    assert send.headers["Upload-Offset"] == "100000" and send.headers["Cache-Control"] == "no-store"
    assert send.complete(upload, 409)["details"]["missing"][0]["path"] == "model.gguf"
    send.send(send("GET", f"uploads/{upload['id']}"), CONTENTS)
    done = send.complete(upload)
    assert (done["status"], done["source"], done["name"]) == ("completed", "upload", "ada/mine"), done
    model = send("GET", f"models/{done['model_id']}")
    assert {file["path"]: file["sha256"] for file in model["files"]} == {
        path: sha256(content) for path, content in CONTENTS.items()
    }
    assert (Path(model["path"]) / "sub/config.json").read_bytes() == CONFIG
    assert not (settings().uploads_dir / upload["id"]).exists(), "the bytes lie once"
    assert not db.session.query(Reservation).all()
    send.piece(upload, 0, 0, b"x", 409)
    send("DELETE", f"uploads/{upload['id']}", 409)


def test_what_does_not_fit_is_refused_and_changes_nothing(send: Sender) -> None:
    upload = send.begin(CONTENTS)
    folder = settings().uploads_dir / upload["id"]
    assert send.piece(upload, 0, 5, GGUF[5:], 409)["details"]["offset"] == 0
    send.piece(upload, 0, 0, GGUF[:1000])
    assert send.piece(upload, 0, 0, GGUF, 409)["details"]["offset"] == 1000
    send.piece(upload, 0, 1000, GGUF, 422)
    for wrong in (None, -1, "1e3", "٣"):
        send.piece(upload, 0, wrong, b"x", 422)  # type: ignore[arg-type]
    send.piece(upload, 3, 0, b"x", 404)
    send.piece(upload, 0, 1000, b"x" * (8 * 1024**2 + 1), 413)
    send("PATCH", f"uploads/{upload['id']}/files/0", 415, json={}, headers={"Upload-Offset": "1000"})
    assert (folder / "0").read_bytes() == GGUF[:1000]


def test_a_piece_with_a_checksum_counts_whole_or_not_at_all(send: Sender) -> None:
    upload = send.begin(CONTENTS)
    said = "sha256 " + base64.b64encode(hashlib.sha256(GGUF[:1000]).digest()).decode()
    assert send.piece(upload, 0, 0, GGUF[1:1001], 502, **{"Upload-Checksum": said})["error"]
    assert send("GET", f"uploads/{upload['id']}/files/0")["offset"] == 0
    assert send.piece(upload, 0, 0, GGUF[:1000], **{"Upload-Checksum": said})["offset"] == 1000
    send.piece(upload, 0, 1000, b"x", 422, **{"Upload-Checksum": "md5 x"})


def test_hostile_names_begin_no_upload(send: Sender) -> None:
    before = {path for path in settings().home.rglob("*") if path.is_dir()}
    for names in HOSTILE:
        body = {"name": "ada/mine", "files": [{"path": name, "size": 1} for name in names]}
        answer = (
            send.app.test_client()
            .post("/api/v1/uploads", headers={"Authorization": f"Bearer {send.who.token}"}, json=body)
            .status_code
        )
        assert answer in (400, 422), (names, answer)
    assert not db.session.query(Upload).all()
    assert {path for path in settings().home.rglob("*") if path.is_dir()} == before


def test_two_do_not_write_to_one_file(send: Sender) -> None:
    upload = send.begin(CONTENTS)
    send.piece(upload, 0, 0, GGUF[:10])
    fd = os.open(settings().uploads_dir / upload["id"] / "0", os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        assert send.piece(upload, 0, 10, GGUF[10:], 409)["details"] == {"offset": 10, "busy": True}
    finally:
        os.close(fd)
    send.piece(upload, 0, 10, GGUF[10:])


def test_no_name_leaves_the_folder(send: Sender) -> None:
    for path in ("../x", "/etc/passwd", "a\\b", "con", "x\0y", ".transfer/j", "a//b"):
        files = [{"path": path, "size": 1}]
        send("POST", "uploads", 422 if "\0" not in path else 400, json={"name": "x", "files": files})


def test_two_names_for_one_file_are_refused(send: Sender) -> None:
    files = [{"path": path, "size": 1} for path in ("A.gguf", "a.gguf")]
    send("POST", "uploads", 422, json={"name": "x", "files": files})


def test_what_was_promised_is_held_against_what_came(send: Sender) -> None:
    upload = send.begin({"model.gguf": GGUF, "config.json": CONFIG})
    send.send(upload, {"model.gguf": GGUF[:-1] + b"?", "config.json": CONFIG})
    failed = send.complete(upload)
    assert failed["status"] == "failed" and failed["error"]["code"] == "CHECKSUM_MISMATCH", failed
    [again] = send("GET", "uploads?status=open")["items"]
    assert again["id"] == upload["id"] and not send("GET", "uploads?status=complete")["items"]
    assert [file["offset"] for file in again["files"]] == [0, len(CONFIG)], "only the bad one is sent again"
    send.send(again, {"model.gguf": GGUF, "config.json": CONFIG})
    assert send.complete(upload)["status"] == "completed"


def shelved(send: Sender) -> str:
    upload = send.begin(CONTENTS)
    send.send(upload, CONTENTS)
    return str(send.complete(upload)["model_id"])


def test_what_the_hub_has_and_one_may_see_need_not_be_sent(app: Flask, send: Sender) -> None:
    shelved(send)
    with unit_of_work():
        db.session.query(HubModel).one().visibility = "public"
    other = Sender(app, user(app, "other", "user"))
    more = {"model.gguf": GGUF, "new.txt": b"new"}
    upload = other.begin(more)
    assert [file["offset"] for file in upload["files"]] == [len(GGUF), 0]
    other.piece(upload, 0, 0, GGUF, 409)
    other.send(upload, more)
    done = other.complete(upload)
    assert done["status"] == "completed"
    model = other("GET", f"models/{done['model_id']}")
    assert (Path(model["path"]) / "model.gguf").read_bytes() == GGUF


def test_knowing_a_hash_tells_and_brings_nothing(app: Flask, send: Sender) -> None:
    """The content is in somebody's private model: its hash neither shows that it is here nor gets it."""
    shelved(send)
    thief = Sender(app, user(app, "thief", "user"))
    upload = thief.begin({"model.gguf": GGUF})
    assert upload["files"][0]["offset"] == 0
    thief.complete(upload, 409)
    thief.piece(upload, 0, 0, b"x" * len(GGUF))
    failed = thief.complete(upload)
    assert failed["status"] == "failed" and failed["error"]["code"] == "CHECKSUM_MISMATCH"
    # Nor by an upload that was begun while it could be seen, and completed when it could not any more.
    with unit_of_work():
        db.session.query(HubModel).one().visibility = "public"
    seen = thief.begin({"model.gguf": GGUF, "x.txt": b"x"})
    thief.send(seen, {"model.gguf": GGUF, "x.txt": b"x"})
    with unit_of_work():
        db.session.query(HubModel).one().visibility = "private"
    assert thief.complete(seen)["status"] == "failed"


def test_it_is_found_again_by_its_name_and_others_do_not_see_it(app: Flask, send: Sender) -> None:
    upload = send.begin(CONTENTS)
    [found] = send("GET", "uploads?status=open&name=ada/mine")["items"]
    assert found["id"] == upload["id"]
    other = Sender(app, user(app, "other", "user"))
    assert other("GET", "uploads")["items"] == []
    other.piece(upload, 0, 0, b"x", 404)


def test_room_is_promised_and_what_does_not_fit_refused(send: Sender) -> None:
    upload = send.begin(CONTENTS)
    [row] = db.session.query(Reservation).all()
    assert (row.holder, row.bytes) == (f"upload:{upload['id']}", sum(map(len, CONTENTS.values())))
    send("DELETE", f"uploads/{upload['id']}")
    assert not db.session.query(Reservation).all()
    assert not (settings().uploads_dir / upload["id"]).exists()
    refused = send("POST", "uploads", 507, json={"name": "x", "files": [{"path": "x.gguf", "size": 2**52}]})
    assert refused["error"] == "OUT_OF_SPACE" and refused["details"]["deficit"] > 0
    assert not db.session.query(Upload).all()


def test_what_nobody_goes_on_with_runs_out(send: Sender) -> None:
    upload, kept = send.begin(CONTENTS), send.begin(CONTENTS)
    send.piece(upload, 0, 0, GGUF)
    with unit_of_work():
        db.session.get_one(Upload, upload["id"]).expires_at = utcnow() - timedelta(seconds=1)
    housekeeping.sweep(age=0)
    send("GET", f"uploads/{upload['id']}", 404)
    assert [path.name for path in settings().uploads_dir.iterdir()] == [kept["id"]]


def test_a_cancelled_upload_may_be_retried_while_its_bytes_are_here(send: Sender, ada: Person) -> None:
    upload = send.begin(CONTENTS)
    send.send(upload, CONTENTS)
    download = send("POST", f"uploads/{upload['id']}/complete", 202)
    send("POST", f"downloads/{download['id']}/cancel", 202)
    send("POST", f"downloads/{download['id']}/retry", 202)
    fetching.run(download["job_id"])
    assert send("GET", f"downloads/{download['id']}")["status"] == "completed"


def test_the_same_push_twice_is_told(send: Sender) -> None:
    model = shelved(send)
    upload = send.begin(CONTENTS)
    assert upload["bytes_done"] == upload["size"]
    assert send.complete(upload, 409)["details"]["model_id"] == model


def test_nothing_is_asked_of_the_upload_source(send: Sender) -> None:
    refused = send("POST", "downloads", 422, json={"source": "upload", "ref": "x"})
    assert "push" in refused["message"]
