"""Hashes follow the bytes: one thread reads behind the unbroken front of each file and proves it when it
is whole."""

import hashlib
import os
from typing import TYPE_CHECKING, Any

from integrations.errors import IntegrityError
from integrations.transfer.journal import sync_folder
from integrations.transfer.names import inside
from integrations.transfer.options import MIB, Fetched
from integrations.transfer.partial import PartialFile
from integrations.transfer.space import disk_trouble

if TYPE_CHECKING:
    from integrations.transfer.engine import Engine

TURN = 32 * MIB
"""Bytes hashed of one file before another has its turn."""


class Digest:
    """SHA-256 of the content and, for small files, the SHA-1 git gives the blob."""

    def __init__(self, size: int, git: bool) -> None:
        self.sha256 = hashlib.sha256()
        self.sha1 = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False) if git else None

    def update(self, block: memoryview) -> None:
        self.sha256.update(block)
        if self.sha1:
            self.sha1.update(block)


class Verifier:
    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self._buffer = memoryview(bytearray(MIB))
        self._digests: dict[tuple[int, int], Digest] = {}

    def run(self) -> None:
        try:
            while found := self.engine.hashable():
                file, fd, generation, end = found
                self._follow(file, fd, generation, end)
        except OSError as error:
            self.engine.fail(disk_trouble(error, self.engine.into) or error)
        except Exception as error:
            self.engine.fail(error)

    def _follow(self, file: PartialFile, fd: int, generation: int, end: int) -> None:
        key = (file.index, generation)
        digest = self._digests.get(key)
        if digest is None:
            digest = self._digests[key] = Digest(file.size, file.download.git_sha1 is not None)
        position, until = file.hashed, min(end, file.hashed + TURN)
        while position < until and not self.engine.stopping.is_set():
            count = os.preadv(fd, [self._buffer[: min(MIB, until - position)]], position)
            if count == 0:
                raise OSError(5, f"{file.path} is shorter than what was written to it")
            digest.update(self._buffer[:count])
            position += count
        if self.engine.hashed(file, generation, position) and position == file.size:
            del self._digests[key]
            self._settle(file, fd, generation, digest)

    def _settle(self, file: PartialFile, fd: int, generation: int, digest: Digest) -> None:
        """All bytes are here and hashed: a file of the model, or wrong."""
        wanted, sha256 = file.download, digest.sha256.hexdigest()
        found: Any = sha256 if wanted.sha256 else digest.sha1.hexdigest() if digest.sha1 else None
        promised = wanted.sha256 or wanted.git_sha1
        if promised and found != promised:
            if self.engine.mismatched(file):
                return
            raise IntegrityError(
                f"'{wanted.path}' arrived twice with other content than the hub promises, and was thrown "
                "away. "
                "The server or something on the way is broken: try another network, or later.",
                details={"file": wanted.path, "expected": promised, "found": found},
            )
        os.fsync(fd)
        self.engine.proven(file, sha256)
        place(self.engine, file)
        self.engine.finished(file, Fetched(wanted.path, wanted.size, sha256))


def place(engine: "Engine", file: PartialFile) -> None:
    """Put the proven file under its own name, durably."""
    target = inside(engine.into, file.download.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    file.path.rename(target)
    for folder in target.parents:
        sync_folder(folder)
        if folder == engine.into:
            break
