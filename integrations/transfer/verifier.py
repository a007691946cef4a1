"""Hashes follow the bytes: one thread reads behind the unbroken front of each file and proves it when it
is whole."""

import hashlib
import os
from typing import TYPE_CHECKING

from integrations.transfer.options import MIB, Download
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

    def found(self, wanted: Download) -> str | None:
        """The digest of the kind that was promised."""
        return self.sha256.hexdigest() if wanted.sha256 else self.sha1.hexdigest() if self.sha1 else None


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
            self._settle(file, fd, digest)

    def _settle(self, file: PartialFile, fd: int, digest: Digest) -> None:
        """All bytes are here and hashed: a file of the model, or wrong."""
        if self.engine.refuses(file, digest):
            return
        os.fsync(fd)
        self.engine.shelver.shelve([(file, digest.sha256.hexdigest())])
