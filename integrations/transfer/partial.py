"""One file on its way: which bytes are there, who fetches which, and where the hash stands."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from integrations.transfer.journal import Recorded
from integrations.transfer.options import MIB, Download
from integrations.transfer.ranges import Ranges
from integrations.transfer.space import reserve_file

SMALLEST_PART = 4 * MIB
FIRST_PART = 16 * MIB
LARGEST_PART = 64 * MIB
PART_SECONDS = 4.0
RECORD_SECONDS = 1.0
SPLIT_SECONDS = 2.0
"""An idle connection takes half of a part that would last longer: it costs what the other has in its
socket."""
BLOCK = MIB
"""Bytes read from a socket before they are written; a part is never cut closer than this to its reader."""


def write_all(fd: int, content: memoryview, position: int = 0) -> None:
    done = 0
    while done < len(content):
        done += os.pwrite(fd, content[done:], position + done)


@dataclass(eq=False)
class Part:
    """A range one connection is fetching: `position` is the next byte, `recorded` the first that the journal
    has not heard of."""

    file: "PartialFile"
    fd: int
    generation: int
    position: int
    end: int
    failures: int = 0
    whole: bool = False
    recorded: int = 0

    def __post_init__(self) -> None:
        self.recorded = self.begin = self.position
        self.started = self._recorded_at = time.monotonic()

    def record_is_old(self) -> bool:
        return time.monotonic() - self._recorded_at >= RECORD_SECONDS

    def was_recorded(self, position: int) -> None:
        self.recorded, self._recorded_at = position, time.monotonic()

    def seconds_left(self) -> float:
        """How long this connection will still need at its speed so far."""
        elapsed, moved = time.monotonic() - self.started, self.position - self.begin
        return (self.end - self.position) * elapsed / moved if moved else elapsed

    @property
    def stale(self) -> bool:
        """The file was started again under another generation."""
        return self.generation != self.file.generation


@dataclass
class Span:
    """Missing bytes nobody fetches now, and how often in a row fetching them failed."""

    start: int
    end: int
    failures: int = 0


class PartialFile:
    """Not thread-safe: the engine's lock guards it. Data of each generation lives in a file of its own, so a
    connection that is late with bytes of the past cannot spoil the present. `address` is where the file
    really is, once the hub told (a CDN, mostly); `validator` is `<origin> <ETag>` of the content we began
    with."""

    def __init__(self, index: int, download: Download, folder: Path, known: Recorded | None) -> None:
        self.index, self.download, self.folder = index, download, folder
        known = known or Recorded()
        self.generation = known.generation
        self.written = known.ranges if self._has_all(known.ranges) else Ranges()
        self.unsynced = Ranges()
        self.validator = known.etag if self.written else None
        self.address: str | None = None
        self.active: list[Part] = []
        self.missing = [Span(start, end) for start, end in self.written.gaps(download.size)]
        self.fd: int | None = None
        self.retired: list[int] = []
        self.hashed = 0
        self.ignored_ranges = 0
        self.whole = False
        self.unranged = False
        self.changes = 0
        self.mismatches = 0
        self.done = False

    @property
    def path(self) -> Path:
        return self.folder / f"{self.index:05d}.{self.generation}.part"

    @property
    def size(self) -> int:
        return self.download.size

    @property
    def small(self) -> bool:
        """Fits into one block: fetched, hashed and written as a whole."""
        return self.download.size <= BLOCK

    def _has_all(self, ranges: Ranges) -> bool:
        spans = list(ranges)
        return not spans or (self.path.exists() and self.path.stat().st_size >= spans[-1][1])

    def open(self) -> int:
        """The file descriptor of the present generation. Raises OSError when there is no room."""
        if self.fd is None:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if not self.small:
                    reserve_file(fd, self.size)
            except OSError:
                os.close(fd)
                raise
            self.fd = fd
        return self.fd

    def claim(self, speed: float, connections: int) -> Part | None:
        """The next missing range in file order, so that the hash can follow close behind; None when all
        are taken.

        Parts last about four seconds at `speed` (bytes/s), and get small towards the end so that all
        connections finish together.
        """
        if not self.missing:
            return None
        span = self.missing[0]
        if self.whole:
            length = span.end - span.start
        else:
            left = sum(gap.end - gap.start for gap in self.missing)
            wanted = speed * PART_SECONDS if speed else FIRST_PART
            length = int(
                min(max(wanted, SMALLEST_PART), LARGEST_PART, max(left / (2 * connections), SMALLEST_PART))
            )
        end = min(span.end, span.start + length)
        if span.end - end < BLOCK:
            end = span.end
        part = Part(self, self.open(), self.generation, span.start, end, span.failures, self.whole)
        if end == span.end:
            self.missing.pop(0)
        else:
            self.missing[0] = Span(end, span.end, span.failures)
        self.active.append(part)
        return part

    def split(self) -> Part | None:
        """Half of what the slowest connection still has to do, for one that is idle."""
        slow = max(self.active, key=Part.seconds_left, default=None)
        if (
            slow is None
            or slow.whole
            or slow.end - slow.position < 4 * BLOCK
            or slow.seconds_left() < SPLIT_SECONDS
        ):
            return None
        middle = (slow.position + slow.end) // 2
        part = Part(self, slow.fd, self.generation, middle, slow.end, slow.failures)
        slow.end = middle
        self.active.append(part)
        return part

    def release(self, part: Part, failures: int) -> None:
        """The part is no longer fetched; what it lacks is missing again."""
        if part in self.active:
            self.active.remove(part)
        if not part.stale and part.position < part.end:
            self.missing.append(Span(part.position, part.end, failures))
            self.missing.sort(key=lambda span: span.start)

    def restart(self) -> Path:
        """Forget every byte and begin a new generation; returns the old data file, to be deleted."""
        old = self.path
        if self.fd is not None:
            self.retired.append(self.fd)
            self.fd = None
        self.generation += 1
        self.written, self.unsynced = Ranges(), Ranges()
        self.missing = [Span(0, self.size)] if self.size else []
        self.active = []
        self.hashed = 0
        self.address, self.validator = None, None
        return old

    def close(self) -> None:
        """Only when the file is whole. Data of earlier generations stays open until the process ends: a late
        worker may still hold its number."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def close_all(self) -> None:
        """Only when every worker is gone."""
        self.close()
        while self.retired:
            os.close(self.retired.pop())
