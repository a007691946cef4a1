"""Reading a file while it is being fetched by another process: what its journal says is there, in order.

For a plan of one file fetched over one connection, so that it grows from its beginning. Nothing of the end
is given out before the journal calls the content proven.
"""

import contextlib
import json
import os
from pathlib import Path

from integrations.errors import IntegrityError
from integrations.transfer.names import STATE_FOLDER
from integrations.transfer.ranges import Ranges

HELD_BACK = 256 * 1024
"""Bytes at the end that wait for the proof: a client never has the whole of a wrong file."""


class Tail:
    """`into` is the transfer's folder, `path` the one file of its plan, `size` its bytes."""

    def __init__(self, into: Path, path: str, size: int) -> None:
        self._state, self._target, self._size = into / STATE_FOLDER, into / path, size
        self._read = 0
        self._rest = b""
        self._ranges = Ranges()
        self._generation = 0
        self._fd: int | None = None
        self.proven = False

    def front(self) -> int:
        """Bytes from the beginning that may be given out by now.

        Raises IntegrityError when what was given out so far has turned out to be wrong.
        """
        for line in self._lines():
            self._take(line)
        if self._fd is None:
            self._open()
        if self._fd is None:
            return 0
        if self.proven:
            return self._size
        return min(self._ranges.end_from(0), max(0, self._size - HELD_BACK))

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` bytes from `start` on; they are there when `front` said so."""
        return os.pread(self._fd, count, start) if self._fd is not None else b""

    @property
    def opened(self) -> bool:
        return self._fd is not None

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _lines(self) -> list[bytes]:
        try:
            with (self._state / "journal").open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._read:
                    self._read, self._rest = 0, b""  # rewritten short, by a transfer that goes on
                file.seek(self._read)
                data = self._rest + file.read()
                self._read = file.tell()
        except FileNotFoundError:
            return []
        *lines, self._rest = data.split(b"\n")
        return lines

    def _take(self, line: bytes) -> None:
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            entry = json.loads(line)
            generation = int(entry["generation"])
            if generation > self._generation:
                if self._ranges:
                    raise IntegrityError("What had arrived was wrong and is fetched again. Ask again.")
                self._generation = generation
            for start, end in entry.get("ranges", []):
                self._ranges.add(int(start), int(end))
            self.proven = self.proven or bool(entry.get("proven"))

    def _open(self) -> None:
        """Once open, renames do not matter."""
        for path in (self._state / f"00000.{self._generation}.part", self._target):
            with contextlib.suppress(FileNotFoundError):
                self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                return
