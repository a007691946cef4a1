"""What has arrived, in an append-only file that survives `kill -9` and power loss.

Bytes are claimed twice. When they were written a line says so under the kernel's boot id: after the death of
a process they are safe in the page cache, after a reboot the line counts for nothing. When they were synced a
line without boot id says so for good. Resuming reads every claimed byte again to hash it, so even a disk that
lied is found out. The first line names the plan; lines that were torn are passed over. On opening, the
journal is rewritten short, by rename.

{"plan": "<sha256 of the plan>"}
{"file": 3, "generation": 0, "ranges": [[0, 2097152]], "boot": "<id>"}  written, while this kernel runs
{"file": 3, "generation": 0, "ranges": [[0, 4194304]], "etag": "…"}     synced
{"file": 3, "generation": 1, "ranges": []}                             start again: earlier bytes are void
{"file": 3, "generation": 1, "proven": "<sha256>"}                     complete and verified
"""

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integrations.transfer.ranges import Ranges

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass
class Recorded:
    """What the journal says about one file: `ranges` are there now, `synced` of them whatever happens."""

    generation: int = 0
    ranges: Ranges = field(default_factory=Ranges)
    synced: Ranges = field(default_factory=Ranges)
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
    """Opened for one plan; a journal of another plan is discarded."""

    def __init__(self, path: Path, plan: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else None
        self.files = self._read(plan)
        self._fd = self._rewrite(plan)

    def _read(self, plan: str) -> dict[int, Recorded]:
        files: dict[int, Recorded] = {}
        if not self.path.exists():
            return files
        entries = [entry for line in self.path.read_bytes().split(b"\n") if (entry := _decode(line))]
        if not entries or entries[0].get("plan") != plan:
            return files
        for entry in entries[1:]:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self._take(files, entry)
        return files

    def _take(self, files: dict[int, Recorded], entry: dict[str, Any]) -> None:
        index, generation, boot = int(entry["file"]), int(entry["generation"]), entry.get("boot")
        if boot is not None and boot != self._boot:
            return
        known = files.setdefault(index, Recorded())
        if generation > known.generation:
            known = files[index] = Recorded(generation)
        if generation == known.generation:
            for start, end in entry.get("ranges", []):
                known.ranges.add(int(start), int(end))
                if boot is None:
                    known.synced.add(int(start), int(end))
            known.etag = entry.get("etag", known.etag)
            known.proven = entry.get("proven", known.proven)

    def _rewrite(self, plan: str) -> int:
        lines: list[dict[str, Any]] = [{"plan": plan}]
        for index, known in self.files.items():
            line = {"file": index, "generation": known.generation}
            rest = {name: value for name in ("etag", "proven") if (value := getattr(known, name))}
            lines += [
                {**line, "ranges": list(known.synced), **rest},
                {**line, "ranges": list(known.ranges), "boot": self._boot or "?"},
            ]
        new = self.path.with_suffix(".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._append(fd, lines)
        os.fdatasync(fd)
        new.rename(self.path)
        sync_folder(self.path.parent)
        return fd

    def _append(self, fd: int, lines: list[dict[str, Any]]) -> None:
        data = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
        with self._lock:
            while data:
                data = data[os.write(fd, data) :]

    def written(self, file: int, generation: int, start: int, end: int, etag: str | None) -> None:
        """These bytes are in the file as far as this kernel is concerned. Costs no sync."""
        line = {"file": file, "generation": generation, "ranges": [[start, end]], "boot": self._boot or "?"}
        self._append(self._fd, [line | ({"etag": etag} if etag else {})])

    def synced(self, files: list[tuple[int, int, Ranges, str | None]]) -> None:
        """(file, generation, ranges, etag) of bytes that were synced to disk before this was called."""
        lines = []
        for file, generation, ranges, etag in files:
            line = {"file": file, "generation": generation, "ranges": list(ranges)}
            lines.append(line | ({"etag": etag} if etag else {}))
        self._append(self._fd, lines)
        os.fdatasync(self._fd)

    def restarted(self, file: int, generation: int) -> None:
        self._append(self._fd, [{"file": file, "generation": generation, "ranges": []}])
        os.fdatasync(self._fd)

    def proven(self, files: Sequence[tuple[int, int, str]]) -> None:
        """(file, generation, sha256) of files whose content is right and on the disk."""
        lines = [
            {"file": file, "generation": generation, "proven": sha256} for file, generation, sha256 in files
        ]
        self._append(self._fd, lines)
        os.fdatasync(self._fd)

    def close(self) -> None:
        with self._lock:
            os.close(self._fd)


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
