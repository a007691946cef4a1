"""The object storage behind the library: a real S3 server program, real children, jobs done here and now."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from api.extensions import db, settings
from api.models import Blob, Deployment, Job
from api.services import jobs, remote, serving, store
from api.unit_of_work import unit_of_work
from tests.support.library import bytes_on_disk, shelve, work_off
from tests.support.object_storage import BUCKET, KEYS, ObjectStorage
from tests.support.people import Person, user

LARGE = random.Random(1).randbytes(3_000_000)
OTHER = random.Random(2).randbytes(2_000_000)
SMALL = b'{"model_type": "llama"}'


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    running = ObjectStorage(tmp_path_factory.mktemp("s3"))
    yield running
    running.stop()


@pytest.fixture
def ann(app: Flask, storage: ObjectStorage, tmp_path: Path) -> Person:
    chosen = settings()
    chosen.storage, chosen.storage_endpoint = f"s3://{BUCKET}/{tmp_path.name}", storage.url
    chosen.storage_access_key, chosen.storage_secret_key = KEYS.values()
    chosen.storage_region, chosen.disk_reserve = "us-east-1", 0
    return user(app, "ann")


def named(content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    return f"{settings().storage.rpartition('/')[2]}/{sha256[:2]}/{sha256}"


def objects(storage: ObjectStorage) -> set[str]:
    return set(storage.keys(settings().storage.rpartition("/")[2] + "/"))


def test_what_is_put_on_the_shelf_goes_to_the_storage_once(ann: Person, storage: ObjectStorage) -> None:
    shelve({"w.bin": LARGE, "config.json": SMALL}, ann.id)
    shelve({"copy.bin": LARGE, "o.bin": OTHER}, ann.id)
    assert [job.state for job in work_off()] == ["completed"] * 2
    assert objects(storage) == {named(LARGE), named(SMALL), named(OTHER)}
    assert {blob.remote for blob in db.session.query(Blob)} == {True}
    sizes = {item["Key"]: item["Size"] for item in storage.client.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert sizes[named(LARGE)] == len(LARGE)


def test_a_model_leaves_the_disk_and_comes_back_whole(ann: Person) -> None:
    id = shelve({"w.bin": LARGE, "sub/o.bin": OTHER, "config.json": SMALL, "README.md": b"# Card"}, ann.id)
    refused = ann.post(f"models/{id}/offload")
    assert refused.status_code == 409 and refused.get_json()["details"] == {"files": 4}, "not there yet"
    work_off()
    assert ann.made(f"models/{id}/offload")["offloaded"]
    assert bytes_on_disk(settings().home / "blobs") == len(SMALL) + len(b"# Card")
    assert ann.data(f"models/{id}/card")["text"] == "# Card", "small files stay"
    assert ann.data(f"models/{id}/impact")["bytes_remote"] == len(LARGE + OTHER + SMALL) + 6
    assert ann.data(f"models/{id}/impact")["bytes_freed"] == 0

    job = ann.made(f"models/{id}/restore")
    assert ann.made(f"models/{id}/restore")["id"] == job["id"], "asked twice is once"
    [done] = work_off()
    assert done.state == "completed" and done.progress["bytes_done"] >= len(LARGE + OTHER)
    model = ann.data(f"models/{id}")
    assert not model["offloaded"]
    assert (Path(model["path"]) / "w.bin").read_bytes() == LARGE
    assert (Path(model["path"]) / "sub" / "o.bin").read_bytes() == OTHER
    assert store.blobs().path(hashlib.sha256(LARGE).hexdigest()).samefile(Path(model["path"]) / "w.bin")
    assert ann.post(f"models/{id}/restore").status_code == 409
    assert not list(settings().children_dir.iterdir())


def test_what_another_model_needs_here_stays_here(ann: Person) -> None:
    leaving = shelve({"w.bin": LARGE, "o.bin": OTHER}, ann.id)
    staying = shelve({"same.bin": LARGE}, ann.id)
    work_off()
    ann.made(f"models/{leaving}/offload")
    assert bytes_on_disk(settings().home / "blobs") == len(LARGE)
    assert (settings().models_dir / staying / "same.bin").read_bytes() == LARGE
    ann.made(f"models/{leaving}/restore")
    work_off()
    assert (settings().models_dir / leaving / "w.bin").samefile(settings().models_dir / staying / "same.bin")


def test_damage_in_the_bucket_is_found_and_the_model_stays_offloaded(
    ann: Person, storage: ObjectStorage
) -> None:
    id = shelve({"w.bin": LARGE}, ann.id)
    work_off()
    ann.made(f"models/{id}/offload")
    storage.client.put_object(Bucket=BUCKET, Key=named(LARGE), Body=LARGE[::-1])
    ann.made(f"models/{id}/restore")
    [job] = work_off()
    assert job.state == "failed" and job.error["code"] == "CHECKSUM_MISMATCH"
    assert not (settings().models_dir / id / "w.bin").exists() and ann.data(f"models/{id}")["offloaded"]
    storage.client.put_object(Bucket=BUCKET, Key=named(LARGE), Body=LARGE)
    ann.post(f"jobs/{job.id}/retry")
    [job] = work_off()
    assert job.state == "completed" and (settings().models_dir / id / "w.bin").read_bytes() == LARGE


def test_deleting_takes_from_the_storage_what_nobody_refers_to(ann: Person, storage: ObjectStorage) -> None:
    first = shelve({"w.bin": LARGE, "o.bin": OTHER}, ann.id)
    second = shelve({"w.bin": LARGE}, ann.id)
    work_off()
    ann.made(f"models/{first}/offload")
    assert ann.delete(f"models/{first}").status_code == 200
    work_off()
    assert objects(storage) == {named(LARGE)}
    assert (settings().models_dir / second / "w.bin").read_bytes() == LARGE
    ann.delete(f"models/{second}")
    back = shelve({"again.bin": LARGE}, ann.id)
    work_off()
    assert objects(storage) == {named(LARGE)}, "it was wanted again before its turn came"
    assert ann.data(f"models/{back}/impact")["bytes_remote"] == len(LARGE)


def test_a_deployment_brings_its_model_back_first(ann: Person) -> None:
    id = shelve({"model.safetensors": LARGE, "config.json": SMALL}, ann.id)
    work_off()
    ann.made(f"models/{id}/offload")
    deployment = ann.made("deployments", {"model_id": id, "name": "d"})
    assert ann.post(f"models/{id}/offload").status_code == 409, "it is about to be needed"
    db.session.rollback()
    job = db.session.query(Job).filter_by(kind="deploy").one().id
    serving.deploy(job)
    db.session.expire_all()
    assert (settings().models_dir / id / "model.safetensors").read_bytes() == LARGE
    assert not ann.data(f"models/{id}")["offloaded"]
    # These bytes are no model; that it was looked at says that it was here.
    assert ann.data(f"deployments/{deployment['id']}")["error"]["code"] == "NOT_A_CAUSAL_LM"
    with unit_of_work():
        db.session.get_one(Deployment, deployment["id"]).wanted = "stopped"
    assert ann.made(f"models/{id}/offload")["offloaded"]


def test_a_storage_that_is_away_fails_the_job_with_a_sentence_and_no_secret(ann: Person) -> None:
    id = shelve({"w.bin": LARGE}, ann.id)
    settings().storage_endpoint = "http://127.0.0.1:1"
    [job] = work_off()
    assert job.state == "failed" and job.error["code"] == "UPSTREAM_UNREACHABLE"
    assert "127.0.0.1:1" in job.error["message"] and KEYS["AWS_SECRET_ACCESS_KEY"] not in str(job.error)
    assert not db.session.query(Blob).one().remote and (settings().models_dir / id / "w.bin").exists()


def test_what_was_here_before_there_was_a_storage_is_brought_there(
    ann: Person, storage: ObjectStorage
) -> None:
    url, settings().storage = settings().storage, None
    id = shelve({"w.bin": LARGE}, ann.id)
    assert work_off() == [] and remote.catch_up() == 0
    assert "MODELHUB_STORAGE" in ann.post(f"models/{id}/offload").get_json()["message"]
    settings().storage = url
    assert remote.catch_up() == 1 and remote.catch_up() == 0
    work_off()
    assert objects(storage) == {named(LARGE)} and remote.catch_up() == 0


def test_no_room_is_said_before_anything_is_fetched(ann: Person) -> None:
    id = shelve({"w.bin": LARGE}, ann.id)
    work_off()
    ann.made(f"models/{id}/offload")
    settings().disk_reserve = 10**18
    ann.made(f"models/{id}/restore")
    [job] = work_off()
    assert job.error["code"] == "OUT_OF_SPACE" and job.error["details"]["deficit"] > 0
    assert jobs.find(job.id).state == "failed"
