"""Room is promised once, on the disk it will really be taken from, and what does not fit waits for it."""

import os
from pathlib import Path

import pytest
from flask import Flask

from api.extensions import db, settings
from api.models import Blob, BlobRef, Deployment, Download, HubModel, Job, ModelVersion, Reservation
from api.models.base import new_id
from api.security.authorise import identify
from api.services import disk, downloads, housekeeping, jobs, removable, room, storage, store
from api.unit_of_work import unit_of_work
from integrations.errors import OutOfSpace
from integrations.sources.base import FetchPlan, RemoteFile
from tests.support import people, things

MB = 1_000_000


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(jobs, "ring", lambda job_id, kind: heard.append(job_id))
    return heard


@pytest.fixture
def free(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The one number of this test: how much the disk has left (it has 1 GB in all)."""
    left = [100 * MB]
    real = os.statvfs

    def smaller(path: Path) -> os.statvfs_result:
        said = list(real(path))
        said[1], said[2], said[3], said[4] = 1000, 1000 * MB // 1000, left[0] // 1000, left[0] // 1000
        return os.statvfs_result(said)

    monkeypatch.setattr(disk.os, "statvfs", smaller)
    settings().disk_reserve = 10 * MB
    return left


def queued(size: int, user_id: str | None = None, **columns: object) -> Download:
    id = things.make("download", user_id, state="queued", **columns)
    with unit_of_work():
        row = db.session.get_one(Download, id)
        files = [{"path": "model.bin", "size": size, "sha256": None}]
        row.plan = {**row.plan, "files": files, "bytes_total": size}
    return db.session.get_one(Download, id)


def test_what_does_not_fit_is_held_with_exact_numbers_and_starts_when_there_is_room(free: list[int]) -> None:
    large, small = queued(95 * MB), queued(20 * MB)
    assert jobs.claim(large.job_id, "w") is None
    held = downloads.shape(db.session.get_one(Download, large.id))
    assert held.status == "held" and held.waiting and held.waiting.code == "OUT_OF_SPACE"
    assert held.waiting.details == {
        "needed": 95 * MB, "free": 100 * MB, "reserved": 0, "reserve": 10 * MB, "deficit": 5 * MB,
        "path": str(settings().incoming_dir),
    }  # fmt: skip
    assert jobs.claim(small.job_id, "w"), "one that is held does not stand in the way of a smaller one"
    free[0] = 105 * MB
    assert jobs.claim(large.job_id, "w") is None  # 20 MB of those are promised
    assert jobs.find(large.job_id).waiting["details"]["reserved"] == 20 * MB
    free[0] = 125 * MB
    assert jobs.claim(large.job_id, "w")
    assert jobs.find(large.job_id).waiting is None


def test_who_fits_by_now_is_called_at_once(free: list[int], rung: list[str]) -> None:
    large, larger = queued(95 * MB), queued(99 * MB)
    for download in (large, larger):
        assert jobs.claim(download.job_id, "w") is None
    rung.clear()
    housekeeping.disk.reconcile()
    assert rung == []
    free[0] = 105 * MB
    housekeeping.disk.reconcile()
    assert rung == [large.job_id]


def test_what_has_arrived_is_not_promised_twice(free: list[int]) -> None:
    running, other = queued(60 * MB), queued(40 * MB)
    held = jobs.claim(running.job_id, "w")
    assert held and jobs.claim(other.job_id, "w") is None
    into = settings().incoming_dir / running.id / ".transfer"
    into.mkdir(parents=True)
    with (into / "00000.0.part").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 60 * MB)
    free[0] -= 60 * MB  # the file system says so by itself
    assert jobs.claim(other.job_id, "w") is None, "40 MB are free, 10 of them always"
    free[0] += 10 * MB
    assert jobs.claim(other.job_id, "w")
    jobs.finish(held, "paused", error={"code": "OUT_OF_SPACE", "message": "full", "details": {}})
    assert [row.holder for row in db.session.query(Reservation)] == [f"job:{other.job_id}"]


def test_links_to_the_store_cost_nothing(free: list[int]) -> None:
    content = os.urandom(MB)
    file = settings().home / "file"
    file.write_bytes(content)
    sha256 = "a" * 64
    store.blobs().take(file, sha256)
    with unit_of_work():
        db.session.add(Blob(sha256=sha256, size=99 * MB))
    plan = FetchPlan(
        source="x", ref="x", revision="main", commit="0" * 40, bytes_total=100 * MB,
        files=[RemoteFile(path="here", size=99 * MB, sha256=sha256), RemoteFile(path="new", size=MB)],
    )  # fmt: skip
    download = queued(0)
    with unit_of_work():
        db.session.get_one(Download, download.id).plan = plan.model_dump(mode="json")
    assert jobs.claim(download.job_id, "w")
    assert db.session.query(Reservation).one().bytes == MB
    store.blobs().place(sha256, settings().incoming_dir / download.id / "here")
    assert disk.allocated(settings().incoming_dir / download.id) == 0


def test_a_disk_of_its_own_for_blobs_is_asked_too(free: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = settings().blobs_dir
    monkeypatch.setattr(disk, "_device", lambda path: 2 if path.is_relative_to(blobs) else 1)
    download = queued(20 * MB)
    assert jobs.claim(download.job_id, "w")
    found = {row.path: row.bytes for row in db.session.query(Reservation)}
    assert found == {str(settings().incoming_dir / download.id): 20 * MB, str(blobs): 20 * MB}
    with unit_of_work():
        disk.release(f"job:{download.job_id}")
    assert db.session.query(Reservation).count() == 0


def test_a_link_leads_to_the_disk_it_points_at(app: Flask, tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    assert disk.room(link / "not" / "yet").device == elsewhere.stat().st_dev
    assert not disk.same_disk(link, settings().home) or elsewhere.stat().st_dev == tmp_path.stat().st_dev


def test_only_what_can_never_fit_is_refused(free: list[int]) -> None:
    plan = FetchPlan(source="x", ref="x", revision="m", commit="0" * 40, files=[], bytes_total=900 * MB)
    free[0] = 0
    room.refuse_what_never_fits(plan)
    with pytest.raises(OutOfSpace, match="can never fit") as error:
        room.refuse_what_never_fits(plan.model_copy(update={"bytes_total": 1200 * MB}))
    assert error.value.details["deficit"] > 0
    free_elsewhere = plan.model_copy(update={"bytes_total": 1200 * MB, "location": "external", "path": "/x"})
    room.refuse_what_never_fits(free_elsewhere)


def test_a_promise_ends_with_its_work_whatever_happened_to_it(free: list[int]) -> None:
    download = queued(20 * MB)
    assert jobs.claim(download.job_id, "w")
    with unit_of_work():
        disk.reserve("upload:u", "upload", settings().uploads_dir / "u", 5 * MB)
    jobs.give_back("w")  # a worker that stops
    housekeeping.disk.reconcile()
    assert [row.holder for row in db.session.query(Reservation)] == ["upload:u"]


def a_model(owner: str, contents: dict[str, int], **columns: object) -> str:
    id = things.make("model", owner, **columns)
    with unit_of_work():
        model = db.session.get_one(HubModel, id)
        version = ModelVersion(
            id=new_id(), model_id=id, revision="main", commit="0" * 40, path=id, size=sum(contents.values())
        )
        db.session.add(version)
        db.session.flush()
        for sha256, size in contents.items():
            if db.session.get(Blob, sha256) is None:
                db.session.add(Blob(sha256=sha256, size=size))
            db.session.add(BlobRef(version_id=version.id, sha256=sha256))
        assert model
    return id


def test_what_could_be_removed_is_what_would_really_be_freed(app: Flask, free: list[int]) -> None:
    one, other = people.user(app, "one", "user"), people.user(app, "other", "user")
    operator = people.user(app, "operator", "operator")
    shared, alone, needed = "a" * 64, "b" * 64, "c" * 64
    small = a_model(one.id, {shared: 50 * MB, alone: 7 * MB})
    a_model(one.id, {shared: 50 * MB})
    theirs = a_model(other.id, {"d" * 64: 30 * MB})
    deployed = a_model(one.id, {needed: 80 * MB})
    with unit_of_work():
        db.session.add(Deployment(name="d", model_id=deployed, runtime="process", user_id=one.id))
    failed = things.make("download", one.id, state="failed")
    parts = settings().incoming_dir / failed
    parts.mkdir()
    (parts / "part").write_bytes(os.urandom(9 * MB))
    mine = removable.removable(identify(one.token))
    assert [(each.kind, each.id) for each in mine] == [("parts", failed), ("model", small)]
    assert mine[1].bytes == 7 * MB and mine[0].bytes >= 9 * MB
    everybody = removable.removable(identify(operator.token))
    assert [each.id for each in everybody] == [theirs, failed, small]

    held = queued(95 * MB, one.id)
    assert jobs.claim(held.job_id, "w") is None
    advised = downloads.get(held.id, identify(one.token))
    assert [each["id"] for each in advised.waiting.details["removable"]] == [failed, small]
    shown = storage.overview(identify(one.token))
    assert [each.id for each in shown.held] == [held.id] and shown.use.blobs == 167 * MB
    assert shown.filesystems[0].folders == ["models", "blobs", "incoming", "uploads"]
    assert storage.overview(identify(other.token)).held == []


def test_the_sweep_removes_what_no_row_owns(app: Flask) -> None:
    upload, kept = settings().uploads_dir / "gone", things.make("download", None)
    for path in (upload, settings().incoming_dir / kept, settings().incoming_dir / "orphan"):
        path.mkdir(parents=True)
    assert housekeeping.sweep() == 0, "what was just made may have its row in a moment"
    assert housekeeping.sweep(age=0) == 2
    assert not upload.exists() and (settings().incoming_dir / kept).exists()
    assert db.session.query(Job).count() == 1
