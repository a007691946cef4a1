"""Bytes that came another way: taken over as if a connection had brought them, and proven like those.

Whoever brings them writes a file front to back in a place of its own. What is there when it ends, all of it
or a beginning, becomes the part of that file; the transfer fetches the rest and hashes everything.
"""

from collections.abc import Sequence
from pathlib import Path

from integrations.transfer.journal import Journal, fingerprint
from integrations.transfer.names import STATE_FOLDER, inside
from integrations.transfer.options import Download


def plan_key(downloads: Sequence[Download]) -> str:
    """What the journal knows a plan by."""
    return fingerprint([[d.path, d.size, d.sha256, d.git_sha1] for d in downloads])


class Handover:
    """For one plan and one folder, before its transfer begins. Close it first."""

    def __init__(self, downloads: Sequence[Download], into: Path) -> None:
        self.downloads, self.into, self.state = downloads, into, into / STATE_FOLDER
        self.state.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(self.state / "journal", plan_key(downloads))

    def is_known(self, index: int) -> bool:
        """Whether the transfer has something of this file already, or has proven it."""
        return index in self._journal.files

    def bytes_known(self) -> int:
        """Bytes the transfer has of all files."""
        total = 0
        for index, known in self._journal.files.items():
            done = known.proven and inside(self.into, self.downloads[index].path).is_file()
            total += self.downloads[index].size if done else known.ranges.total
        return total

    def give(self, index: int, part: Path) -> None:
        """The bytes of `part`, which moves, are the beginning of file `index`. They get hashed."""
        length = min(part.stat().st_size, self.downloads[index].size)
        target = self.state / f"{index:05d}.0.part"
        if part != target:
            part.replace(target)
        self._journal.written(index, 0, 0, length, None)

    def close(self) -> None:
        self._journal.close()
