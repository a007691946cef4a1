"""What is known to be on disk, in an append-only file that survives `kill -9` and power loss.

A line is written only after the bytes it speaks of were synced. The first line names the plan the rest
belongs to; a torn last line is ignored. On opening, the journal is rewritten short, by rename.

    {"plan": "<sha256 of the plan>"}
    {"file": 3, "generation": 0, "ranges": [[0, 4194304]], "etag": "…"}     these bytes are on disk
    {"file": 3, "generation": 1, "ranges": []}                             start again: earlier bytes are void
    {"file": 3, "generation": 1, "proven": "<sha256>"}                     complete and verified
"""

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integrations.transfer.ranges import Ranges


@dataclass
class Recorded:
    """What the journal says about one file."""

    generation: int = 0
    ranges: Ranges = field(default_factory=Ranges)
    etag: str | None = None
    proven: str | None = None


def fingerprint(plan: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(plan).encode()).hexdigest()


def sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Journal:
    """Opened for one plan; a journal of another plan is discarded (`fresh` is True then)."""

    def __init__(self, path: Path, plan: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        recorded = self._read(plan)
        self.fresh = recorded is None
        self.files: dict[int, Recorded] = recorded or {}
        self._rewrite(plan)

    def _read(self, plan: str) -> dict[int, Recorded] | None:
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return None
        files: dict[int, Recorded] = {}
        try:
            if json.loads(lines[0])["plan"] != plan:
                return None
            for line in lines[1:-1]:  # what follows the last newline was never finished
                self._take(files, json.loads(line))
        except (ValueError, KeyError, TypeError, IndexError):
            return files or None
        return files

    @staticmethod
    def _take(files: dict[int, Recorded], entry: dict[str, Any]) -> None:
        known = files.setdefault(int(entry["file"]), Recorded())
        generation = int(entry["generation"])
        if generation > known.generation:
            known = files[int(entry["file"])] = Recorded(generation=generation)
        if generation == known.generation:
            for start, end in entry.get("ranges", []):
                known.ranges.add(int(start), int(end))
            known.etag = entry.get("etag", known.etag)
            known.proven = entry.get("proven", known.proven)

    def _rewrite(self, plan: str) -> None:
        lines: list[dict[str, Any]] = [{"plan": plan}]
        lines += [self._line(index, **vars(known)) for index, known in self.files.items()]
        new = self.path.with_suffix(".new")
        self._fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._write(lines)
        new.rename(self.path)
        sync_folder(self.path.parent)

    @staticmethod
    def _line(
        file: int, generation: int, ranges: Ranges, etag: str | None, proven: str | None
    ) -> dict[str, Any]:
        line: dict[str, Any] = {"file": file, "generation": generation, "ranges": list(ranges)}
        return line | ({"etag": etag} if etag else {}) | ({"proven": proven} if proven else {})

    def _write(self, lines: list[dict[str, Any]]) -> None:
        data = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
        with self._lock:
            while data:
                data = data[os.write(self._fd, data) :]
            os.fdatasync(self._fd)

    def on_disk(self, synced: list[tuple[int, int, Ranges, str | None]]) -> None:
        """(file, generation, ranges, etag) of bytes that were synced."""
        self._write([self._line(*known, None) for known in synced])

    def restarted(self, file: int, generation: int) -> None:
        self._write([self._line(file, generation, Ranges(), None, None)])

    def proven(self, file: int, generation: int, sha256: str) -> None:
        self._write([{"file": file, "generation": generation, "proven": sha256}])

    def close(self) -> None:
        with self._lock:
            os.close(self._fd)
