"""Blobs in an object storage that speaks S3: `<prefix>/<first two digits>/<sha256>`.

A content goes up in parts, each with its SHA-256 for the server to check, while the whole is hashed on the
way: only when that hash is the name is the object made. What an upload that broke off left is taken up
again. A content comes down into a draft that is hashed before it gets its name. Only children use this file:
boto3 is loaded by the first call.
"""

import base64
import contextlib
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from integrations.blobs.names import SHA256, relative
from integrations.blobs.s3_errors import in_our_words
from integrations.errors import IntegrityError, InvalidRef, NotFound, Stopped

PART = 16 * 1024**2
"""Bytes of a part. The protocol wants at least 5 MiB and at most 10,000 parts."""

MOST_PARTS = 9_000
AT_ONCE = 4
CHUNK = 1024**2


@dataclass(frozen=True)
class S3Place:
    """A bucket and a prefix, and how to get there; keys come by AWS's own variables."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None

    @classmethod
    def at(cls, url: str, endpoint: str | None = None, region: str | None = None) -> "S3Place":
        """From `s3://bucket/prefix`. Raises InvalidRef for another kind of address."""
        found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])(?:/([A-Za-z0-9._/\-]*))?", url)
        if found is None:
            raise InvalidRef("An object storage is written s3://bucket or s3://bucket/prefix.")
        return cls(found[1], (found[2] or "").strip("/"), endpoint or None, region or None)


class S3Blobs:
    """Contents as objects of a bucket. `report` hears of bytes that moved; `stop` makes it raise Stopped."""

    def __init__(
        self,
        place: S3Place,
        *,
        report: Callable[[int], None] = lambda _bytes: None,
        stop: threading.Event | None = None,
        part: int = PART,
    ) -> None:
        self.where, self.report, self.part = place, report, part
        self.stop = stop or threading.Event()

    @cached_property
    def client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.where.endpoint,
            region_name=self.where.region,
            config=Config(
                connect_timeout=10,
                read_timeout=60,
                retries={"mode": "standard", "total_max_attempts": 5},
                max_pool_connections=2 * AT_ONCE,
                s3={"addressing_style": "path" if self.where.endpoint else "auto"},
                # Checksums are ours (SHA-256): others than AWS do not all take the SDK's own kind.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def key(self, sha256: str) -> str:
        return "/".join(part for part in (self.where.prefix, relative(sha256)) if part)

    def size(self, sha256: str) -> int | None:
        try:
            with in_our_words(self.where):
                return int(self._head(sha256)["ContentLength"])
        except NotFound:
            return None

    def has(self, sha256: str) -> bool:
        return self.size(sha256) is not None

    def take(self, file: Path, sha256: str) -> None:
        """Raises IntegrityError when the file is not what its name says; then nothing has been kept."""
        size = file.stat().st_size
        if self.size(sha256) == size:
            self.report(size)
            return
        with in_our_words(self.where):
            if size <= self.part:
                self._take_whole(file, sha256)
            else:
                self._take_in_parts(file, sha256, size)
            kept = int(self._head(sha256)["ContentLength"])
        if kept != size:
            self.remove(sha256)
            raise IntegrityError(f"The object storage kept {kept:,} of {size:,} bytes of {sha256[:12]}….")

    def place(self, sha256: str, target: Path) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name[:200]}.fetching")
        digest = hashlib.sha256()
        with in_our_words(self.where), draft.open("a+b") as file:
            file.seek(0)
            while chunk := file.read(CHUNK):
                digest.update(chunk)
            self._fetch(sha256, file, digest)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != sha256:
            draft.unlink()
            raise IntegrityError(
                f"The object storage's copy of {sha256[:12]}… is damaged. Bring the model in again from its "
                "source.",
                details={"sha256": sha256},
            )
        draft.replace(target)

    def remove(self, sha256: str) -> int:
        size = self.size(sha256)
        if size is None:
            return 0
        with in_our_words(self.where):
            self.client.delete_object(Bucket=self.where.bucket, Key=self.key(sha256))
        return size

    def sizes(self) -> Iterator[tuple[str, int]]:
        prefix = f"{self.where.prefix}/" if self.where.prefix else ""
        with in_our_words(self.where):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.where.bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    name = item["Key"].rpartition("/")[2]
                    if SHA256.fullmatch(name) and item["Key"] == self.key(name):
                        yield name, int(item["Size"])

    def _head(self, sha256: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.head_object(Bucket=self.where.bucket, Key=self.key(sha256))
        return answer

    def _take_whole(self, file: Path, sha256: str) -> None:
        content = file.read_bytes()
        _check(hashlib.sha256(content).hexdigest(), sha256)
        self.client.put_object(
            Bucket=self.where.bucket,
            Key=self.key(sha256),
            Body=content,
            ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
        )
        self.report(len(content))

    def _take_in_parts(self, file: Path, sha256: str, size: int) -> None:
        upload, there = self._begun(sha256)
        length = max(self.part, -(-size // MOST_PARTS))
        names = {"Bucket": self.where.bucket, "Key": self.key(sha256), "UploadId": upload}
        digest, done = hashlib.sha256(), dict[int, dict[str, Any]]()
        running: set[Future[dict[str, Any]]] = set()
        with ThreadPoolExecutor(AT_ONCE) as threads, file.open("rb") as source:
            number = 0
            while content := source.read(length):
                number += 1
                digest.update(content)
                running.add(threads.submit(self._part, names, number, content, there.get(number)))
                while len(running) >= AT_ONCE or (running and self.stop.is_set()):
                    running = _collect(running, done)
                if self.stop.is_set():
                    raise Stopped("The upload was asked to stop; what is there stays for the next time.")
            while running:
                running = _collect(running, done)
        if digest.hexdigest() != sha256:
            self.client.abort_multipart_upload(**names)
        _check(digest.hexdigest(), sha256)
        parts = [done[number] for number in sorted(done)]
        self.client.complete_multipart_upload(**names, MultipartUpload={"Parts": parts})

    def _begun(self, sha256: str) -> tuple[str, dict[int, dict[str, Any]]]:
        """An upload of this content: one that broke off, with the parts it has, or a new one."""
        names = {"Bucket": self.where.bucket, "Key": self.key(sha256)}
        open_ones = self.client.list_multipart_uploads(Bucket=self.where.bucket, Prefix=names["Key"])
        for upload in open_ones.get("Uploads", []):
            if upload["Key"] == names["Key"]:
                pages = self.client.get_paginator("list_parts").paginate(**names, UploadId=upload["UploadId"])
                parts = {part["PartNumber"]: part for page in pages for part in page.get("Parts", [])}
                return upload["UploadId"], parts
        made = self.client.create_multipart_upload(**names, ChecksumAlgorithm="SHA256")
        return made["UploadId"], {}

    def _part(
        self, names: dict[str, str], number: int, content: bytes, there: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Have this part up there; its number and checksums, for completing."""
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        same = there is not None and (
            there.get("ChecksumSHA256") == checksum
            if there.get("ChecksumSHA256")
            else there["ETag"].strip('"') == md5
        )
        etag = there["ETag"] if there and same else None
        if etag is None:
            answer = self.client.upload_part(
                **names, PartNumber=number, Body=content, ChecksumSHA256=checksum
            )
            etag = answer["ETag"]
        self.report(len(content))
        return {"PartNumber": number, "ETag": etag, "ChecksumSHA256": checksum}

    def _fetch(self, sha256: str, file: Any, digest: Any) -> None:
        """Append to the draft what it lacks; it may have been begun by a process that died."""
        here, size = file.tell(), int(self._head(sha256)["ContentLength"])
        if here > size:
            return  # not this content: its hash will say so
        self.report(here)
        if here == size:
            return
        wanted = {"Bucket": self.where.bucket, "Key": self.key(sha256)}
        if here:
            wanted["Range"] = f"bytes={here}-"
        with contextlib.closing(self.client.get_object(**wanted)["Body"]) as body:
            while chunk := body.read(CHUNK):
                if self.stop.is_set():
                    raise Stopped("Fetching was asked to stop; what is here stays for the next time.")
                file.write(chunk)
                digest.update(chunk)
                self.report(len(chunk))


def _collect(
    running: set[Future[dict[str, Any]]], done: dict[int, dict[str, Any]]
) -> set[Future[dict[str, Any]]]:
    """Wait for one part or more; the rest."""
    ended, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in ended:
        part = future.result()
        done[part["PartNumber"]] = part
    return rest


def _check(found: str, sha256: str) -> None:
    if found != sha256:
        raise IntegrityError(
            f"A file that should be {sha256[:12]}… is not: it is damaged on this disk. `modelhub verify` "
            "names what it belongs to.",
            details={"expected": sha256, "found": found},
        )
