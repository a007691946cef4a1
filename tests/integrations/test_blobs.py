"""Both kinds of store keep the same promises; and what only the object storage can do wrong."""

import hashlib
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.blobs import Blobs, LocalBlobs, S3Blobs, S3Place
from integrations.errors import (
    AccessDenied,
    IntegrationError,
    IntegrityError,
    InvalidRef,
    NotFound,
    Stopped,
    Unreachable,
)
from tests.support.object_storage import BUCKET, KEYS, ObjectStorage

PART = 5 * 1024**2
TEXT = b"the same content"
SHA256 = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    running = ObjectStorage(tmp_path_factory.mktemp("s3"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["local", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "local":
        return LocalBlobs(tmp_path / "blobs")
    return far(request.getfixturevalue("storage"), tmp_path)


def far(storage: ObjectStorage, tmp_path: Path, **more: Any) -> S3Blobs:
    """A store of this test's own, under its own prefix."""
    return S3Blobs(storage.place(f"t/{tmp_path.name}"), part=PART, **more)


def file(path: Path, content: bytes = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_what_is_taken_is_there_and_can_be_placed(blobs: Blobs, tmp_path: Path) -> None:
    assert not blobs.has(SHA256) and blobs.size(SHA256) is None
    for _ in range(2):
        blobs.take(file(tmp_path / "x"), SHA256)
    assert blobs.has(SHA256) and blobs.size(SHA256) == len(TEXT)
    assert list(blobs.sizes()) == [(SHA256, len(TEXT))]
    for _ in range(2):
        blobs.place(SHA256, tmp_path / "deep" / "y")
    assert (tmp_path / "deep" / "y").read_bytes() == TEXT
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["y"], "no draft is left"


def test_what_is_removed_is_gone(blobs: Blobs, tmp_path: Path) -> None:
    blobs.take(file(tmp_path / "x"), SHA256)
    (tmp_path / "x").unlink()
    assert blobs.remove(SHA256) == len(TEXT)
    assert blobs.remove(SHA256) == 0 and not blobs.has(SHA256) and not list(blobs.sizes())
    with pytest.raises(NotFound):
        blobs.place(SHA256, tmp_path / "y")
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "/x"])
def test_only_a_hash_names_a_blob(blobs: Blobs, tmp_path: Path, name: str) -> None:
    for ask in (blobs.has, blobs.size, blobs.remove, lambda sha: blobs.place(sha, tmp_path / "y")):
        with pytest.raises(InvalidRef):
            ask(name)


def test_a_file_in_parts_goes_up_and_comes_back(storage: ObjectStorage, tmp_path: Path) -> None:
    moved: list[int] = []
    blobs = far(storage, tmp_path, report=moved.append)
    content = random.Random(1).randbytes(3 * PART + 12_345)
    sha256 = hashlib.sha256(content).hexdigest()
    blobs.take(file(tmp_path / "x", content), sha256)
    assert sum(moved) == len(content) == blobs.size(sha256)
    blobs.place(sha256, tmp_path / "y")
    assert (tmp_path / "y").read_bytes() == content


@pytest.mark.parametrize("size", [1000, 2 * PART])
def test_a_file_that_is_not_what_its_name_says_is_not_kept(
    storage: ObjectStorage, tmp_path: Path, size: int
) -> None:
    blobs = far(storage, tmp_path)
    with pytest.raises(IntegrityError):
        blobs.take(file(tmp_path / "x", b"x" * size), SHA256)
    assert not storage.keys(blobs.where.prefix)
    assert not storage.client.list_multipart_uploads(Bucket=BUCKET, Prefix=blobs.where.prefix).get("Uploads")


def test_an_upload_that_broke_off_is_taken_up_again(storage: ObjectStorage, tmp_path: Path) -> None:
    content = random.Random(2).randbytes(8 * PART)
    sha256 = hashlib.sha256(content).hexdigest()
    whole = file(tmp_path / "x", content)
    stop = threading.Event()
    with pytest.raises(Stopped):
        far(storage, tmp_path, stop=stop, report=lambda _bytes: stop.set()).take(whole, sha256)
    assert not storage.keys(f"t/{tmp_path.name}"), "half of it is no object"
    blobs = far(storage, tmp_path)
    sent = asked(blobs, "UploadPart")
    blobs.take(whole, sha256)
    assert 0 < len(sent) < 8, "what was there was sent again"
    blobs.place(sha256, tmp_path / "y")
    assert (tmp_path / "y").read_bytes() == content


def test_wrong_bytes_in_the_bucket_never_become_a_file(storage: ObjectStorage, tmp_path: Path) -> None:
    blobs = far(storage, tmp_path)
    blobs.take(file(tmp_path / "x"), SHA256)
    storage.client.put_object(Bucket=BUCKET, Key=blobs.key(SHA256), Body=TEXT[::-1])
    with pytest.raises(IntegrityError):
        blobs.place(SHA256, tmp_path / "y" / "z")
    assert not list((tmp_path / "y").iterdir())


def asked(blobs: S3Blobs, operation: str) -> list[dict[str, Any]]:
    """What will be asked by this name, as it goes out."""
    heard: list[dict[str, Any]] = []
    blobs.client.meta.events.register(f"before-call.s3.{operation}", lambda params, **_: heard.append(params))
    return heard


def test_fetching_goes_on_where_it_was_and_proves_what_was_there(
    storage: ObjectStorage, tmp_path: Path
) -> None:
    content = random.Random(3).randbytes(300_000)
    sha256 = hashlib.sha256(content).hexdigest()
    far(storage, tmp_path).take(file(tmp_path / "x", content), sha256)
    blobs = far(storage, tmp_path)
    heard = asked(blobs, "GetObject")
    file(tmp_path / ".y.fetching", content[:100_000])
    blobs.place(sha256, tmp_path / "y")
    assert [params["headers"]["Range"] for params in heard] == ["bytes=100000-"]
    for wrong in (b"wrong" * 10, content + b"more"):
        file(tmp_path / ".z.fetching", wrong)
        with pytest.raises(IntegrityError):
            blobs.place(sha256, tmp_path / "z")
        blobs.place(sha256, tmp_path / "z")
        assert (tmp_path / "y").read_bytes() == (tmp_path / "z").read_bytes() == content


def test_what_can_be_wrong_with_a_storage_is_said_in_a_sentence(
    storage: ObjectStorage, tmp_path: Path
) -> None:
    with pytest.raises(IntegrationError, match="bucket 'none-such' does not exist"):
        S3Blobs(S3Place("none-such", "", storage.url, "us-east-1")).take(file(tmp_path / "x"), SHA256)
    with pytest.raises(Unreachable, match="does not answer"):
        S3Blobs(S3Place(BUCKET, "", "http://127.0.0.1:1", "us-east-1")).has(SHA256)


def test_missing_keys_are_said(
    storage: ObjectStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(AccessDenied, match="refuses our keys"):
        far(storage, tmp_path).has(SHA256)


@pytest.mark.parametrize(
    "url", ["s3:/x", "https://bucket", "s3://", "s3://Bucket", "s3://bucket/a b", "s3://b"]
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(InvalidRef):
        S3Place.at(url)


def test_an_address_is_a_bucket_and_a_prefix() -> None:
    assert S3Place.at("s3://bucket/a/b/", "", "") == S3Place("bucket", "a/b")
    assert S3Blobs(S3Place("bucket", "a/b")).key(SHA256) == f"a/b/{SHA256[:2]}/{SHA256}"


def test_boto_is_loaded_by_nobody_who_does_not_use_it(tmp_path: Path) -> None:
    script = "import sys, api.wsgi, tasks.worker; print('boto3' in sys.modules or 'botocore' in sys.modules)"
    env = {"PATH": "/usr/bin:/bin", "MODELHUB_HOME": str(tmp_path / "home"), "PYTHONPATH": "."}
    out = subprocess.check_output([sys.executable, "-c", script], text=True, env=env)
    assert out.split()[-1] == "False"
