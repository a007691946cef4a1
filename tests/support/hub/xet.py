"""Xet storage as the real client sees it: xorbs are uploaded, files reconstructed from them, by ranges.

`keep(hub, path, sha256)` lets the real client upload a file; after that the hub says that it lies in Xet
storage. Only what the client needs: V1 of the protocol, chunks as they were uploaded, one xorb for a file
(below 64 MiB).
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.hub.server import Handler

if TYPE_CHECKING:
    from tests.support.hub import Hub

TOKEN = "xet_ok"
CHUNKS_A_TERM = 8
UPLOAD = """
import sys, time, hf_xet
path, endpoint, token = sys.argv[1:]
session, expires = hf_xet.XetSession(), int(time.time()) + 3600
with session.new_upload_commit(endpoint=endpoint, token=token, token_expiry_unix_secs=expires) as commit:
    handle = commit.start_upload_file(path)
print(handle.result().xet_info.hash)
"""


class Chunk(NamedTuple):
    """Where it lies in its xorb (header included), and where its bytes lie in the file."""

    start: int
    end: int
    begins: int
    ends: int


def chunks_of(xorb: bytes) -> list[Chunk]:
    """From the headers: version, packed length, compression, length; little endian."""
    found, place, begins = [], 0, 0
    while place < len(xorb):
        packed = int.from_bytes(xorb[place + 1 : place + 4], "little")
        length = int.from_bytes(xorb[place + 5 : place + 8], "little")
        found.append(Chunk(place, place + 8 + packed, begins, begins + length))
        place, begins = place + 8 + packed, begins + length
    return found


class Storage:
    """What lies in Xet storage: xorbs as files below `folder`, and which xorb a file consists of."""

    def __init__(self) -> None:
        self.xorbs: dict[str, Path] = {}
        self.files: dict[str, str] = {}
        self.by_sha256: dict[str, str] = {}

    def reconstruction(self, name: str, start: int, end: int, base: str) -> dict[str, Any]:
        """Terms that cover the bytes [start, end) of a file, a few chunks each."""
        xorb = self.files[name]
        chunks = chunks_of(self.xorbs[xorb].read_bytes())
        wanted = [n for n, chunk in enumerate(chunks) if chunk.ends > start and chunk.begins < end]
        terms, fetches = [], []
        for first in range(wanted[0], wanted[-1] + 1, CHUNKS_A_TERM):
            last = min(first + CHUNKS_A_TERM, wanted[-1] + 1)
            span = {"start": first, "end": last}
            length = chunks[last - 1].ends - chunks[first].begins
            terms.append({"hash": xorb, "unpacked_length": length, "range": span})
            place = {"start": chunks[first].start, "end": chunks[last - 1].end - 1}
            fetches.append({"range": span, "url": f"{base}/xorb/{xorb}", "url_range": place})
        offset = start - chunks[wanted[0]].begins
        return {"offset_into_first_range": offset, "terms": terms, "fetch_info": {xorb: fetches}}


class CasHandler(Handler):
    role = "cas"

    def answer(self) -> None:
        storage, kind = self.hub.xet, "xorb" if "/xorb/" in self.route else "reconstruction"
        if self.command == "POST":
            return self.take(storage)
        fault = self.hub.faults.take("cas", kind)
        if fault and self.fail(fault):
            return None
        if found := re.fullmatch(r"/xorb/(\w+)", self.route):
            return self.send_file(storage.xorbs[found[1]], found[1], fault, {})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.reply(401, {"error": "no token of this storage"})
        if found := re.fullmatch(r"/v1/reconstructions/(\w+)", self.route):
            if found[1] not in storage.files:
                return self.reply(404, {"error": "no such file"})
            span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "bytes=0-999999999999")
            assert span
            start, end = int(span[1]), int(span[2]) + 1
            return self.reply(200, storage.reconstruction(found[1], start, end, self.server.url))
        return self.reply(404, {"error": "not here"})

    def take(self, storage: Storage) -> None:
        body = self.body()
        if found := re.search(r"^/v1/xorbs/\w+/(\w+)$", self.route):
            place = self.hub.shelf.root / f".xorb-{found[1]}"
            place.write_bytes(body)
            storage.xorbs[found[1]] = place
            storage.files["latest"] = found[1]
            return self.reply(200, {"was_inserted": True})
        return self.reply(200, {"result": 1}) if self.route == "/v1/shards" else self.reply(404, {})

    def body(self) -> bytes:
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b""
        while length := int(self.rfile.readline().strip() or b"0", 16):
            whole += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return whole


def keep(hub: "Hub", path: Path, sha256: str) -> str:
    """Upload a file with the real client; its name in Xet storage."""
    home = hub.shelf.root / ".xet"
    done = subprocess.run(
        [sys.executable, "-c", UPLOAD, str(path), hub.cas_url, TOKEN],
        env={**os.environ, "HF_HOME": str(home), "HF_XET_CACHE": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    name = done.stdout.strip().splitlines()[-1]
    hub.xet.files[name] = hub.xet.files.pop("latest")
    hub.xet.by_sha256[sha256] = name
    return name


def token(hub: "Hub") -> tuple[dict[str, Any], dict[str, str]]:
    """What the hub gives who may read a model: body and headers."""
    expires = int(time.time()) + 3600
    body = {"accessToken": TOKEN, "exp": expires, "casUrl": hub.cas_url}
    names = ("X-Xet-Access-Token", "X-Xet-Token-Expiration", "X-Xet-Cas-Url")
    return body, dict(zip(names, map(str, body.values()), strict=True))
