"""The shared state of one transfer: hands out parts, takes in bytes, keeps the journal, decides when it is
over."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integrations.errors import IntegrityError, Stopped, Throttled
from integrations.http import Origin, Outbound
from integrations.transfer.journal import Journal
from integrations.transfer.options import MIB, Fetched, Options
from integrations.transfer.partial import Part, PartialFile, write_all
from integrations.transfer.ranges import Ranges
from integrations.transfer.retry import IgnoredRange, Kind, Trouble, final, wait_before
from integrations.transfer.roster import Roster
from integrations.transfer.shelver import Shelver
from integrations.transfer.space import disk_trouble
from integrations.transfer.verifier import Digest, Verifier
from integrations.transfer.worker import Worker

RECORD_BYTES = 2 * MIB
"""Bytes of one connection after which the journal hears of them; `kill -9` costs these, a block, and what the
socket held."""
SYNC_SECONDS = 2.0
"""What power loss can cost."""
SYNC_BYTES = 64 * MIB
"""Unsynced bytes after which a sync does not wait that long: the last sync, before a file gets its name, is
short."""
STOP_SECONDS = 1.2
PROGRESS = 64 * 1024
"""Bytes an attempt must bring to count as progress."""
MAX_IGNORED = 3
MAX_CHANGES = 2

Report = Callable[[dict[str, Any]], None]


class Engine:
    """Workers fetch and record, one thread syncs, one verifies; all meet under one lock."""

    def __init__(
        self,
        files: Sequence[PartialFile],
        into: Path,
        journal: Journal,
        outbound: Outbound,
        options: Options,
        stop: threading.Event,
    ) -> None:
        self.files, self.into, self.journal = list(files), into, journal
        self.outbound, self.options, self.stop = outbound, options, stop
        self.stopping = threading.Event()
        self.results: dict[int, Fetched] = {}
        self.moved = 0
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # parts to claim, or none ever again
        self._front = threading.Condition(self._lock)  # bytes to hash
        self._over = threading.Condition(self._lock)
        self._syncing = threading.Lock()  # taken before the other; nobody closes what is being synced
        self._held_until = 0.0
        self._held_why = ""
        self._addresses = {file.index: threading.Lock() for file in files}
        self.throttle = options.throttle
        self.shelver = Shelver(self)
        self.roster = Roster(self.files)
        self._ranged = False

    # — running —

    def run(self, tick: Callable[[], None]) -> list[Fetched]:
        """Until every file is proven; calls `tick` about four times a second. Raises what went wrong, or
        Stopped."""
        workers = [Worker(self) for _ in range(self.options.connections)]
        crew = [threading.Thread(target=worker.run, daemon=True) for worker in workers]
        rest = (self._sync_often, Verifier(self).run, self.shelver.run)
        others = [threading.Thread(target=run, daemon=True) for run in rest]
        for thread in [*crew, *others]:
            thread.start()
        while not self._is_over():
            tick()
            with self._lock:
                self._over.wait_for(self._is_over, 0.25)
        self.stopping.set()
        self._wake_all()
        for worker in workers:
            worker.wire.abort()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in [*crew, *others]:
            thread.join(max(0.0, deadline - time.monotonic()))
        if len(self.results) < len(self.files):
            self._sync_last()
        self._sync_folders()
        if not any(thread.is_alive() for thread in [*crew, *others]):
            for file in self.files:
                file.close_all()
        tick()
        if self.error is not None:
            raise self.error
        if len(self.results) < len(self.files):
            raise Stopped("The download was stopped; what has arrived is kept.")
        return [self.results[index] for index in sorted(self.results)]

    def _is_over(self) -> bool:
        return self.error is not None or self.stop.is_set() or len(self.results) == len(self.files)

    def _wake_all(self) -> None:
        with self._lock:
            for condition in (self._work, self._front, self._over):
                condition.notify_all()

    def fail(self, error: BaseException) -> None:
        """The first error is the transfer's; what comes after it is noise."""
        with self._lock:
            if self.error is None and not self.stopping.is_set():
                self.error = error
            self._over.notify_all()

    # — parts —

    def claim(self, speed: float) -> Part | None:
        """The next part; waits while others may still give theirs back. None when the worker can go home."""
        with self._lock:
            while not self._is_over() and not self.stopping.is_set():
                if part := self.roster.claim(speed, self.options.connections):
                    return part
                self._work.wait(1.0)
        return None

    def room(self, part: Part) -> int:
        """Bytes the worker may still receive for this part; 0 when it is done or void."""
        with self._lock:
            if part.stale or self.stopping.is_set():
                return 0
            return part.end - part.position

    def advance(self, part: Part, count: int) -> None:
        """`count` bytes were written at the part's position."""
        with self._lock:
            if part.stale:
                return
            part.file.written.add(part.position, part.position + count)
            part.file.unsynced.add(part.position, part.position + count)
            part.position += count
            self.moved += count
            self.roster.advanced(part.file)
            self._front.notify()
            fresh = part.position - part.recorded
            due = fresh >= RECORD_BYTES or part.position >= part.end or part.record_is_old()
        if due:
            self._record(part)

    def arrived(self, part: Part, content: memoryview) -> None:
        """All of a small file at once: hashed before it touches the disk, then shelved with many others."""
        file = part.file
        digest = Digest(file.size, file.download.git_sha1 is not None)
        digest.update(content)
        if self.refuses(file, digest):
            return
        with self._lock:
            if part.stale:
                return
        write_all(part.fd, content)
        self.journal.written(file.index, part.generation, 0, file.size, file.validator)
        with self._lock:
            if part.stale:
                return
            file.written.add(0, file.size)
            part.position = part.recorded = file.size
            file.hashed = file.size
            self.moved += file.size
        self.shelver.add(file, digest.sha256.hexdigest())

    def refuses(self, file: PartialFile, digest: "Digest") -> bool:
        """Whether the content is wrong and is fetched once more. Raises IntegrityError the second time."""
        wanted = file.download
        found = digest.found(wanted)
        promised = wanted.sha256 or wanted.git_sha1
        if not promised or found == promised:
            return False
        if self.mismatched(file):
            return True
        raise IntegrityError(
            f"'{wanted.path}' arrived twice with other content than the hub promises, and was thrown away. "
            "The server or something on the way is broken: try another network, or later.",
            details={"file": wanted.path, "expected": promised, "found": found},
        )

    def _record(self, part: Part) -> None:
        """Tell the journal what this part has written. Only the part's own worker calls this."""
        start, end = part.recorded, part.position
        if end > start and not part.stale:
            self.journal.written(part.file.index, part.generation, start, end, part.file.validator)
            part.was_recorded(end)

    def release(self, part: Part, moved: int, trouble: Trouble | None) -> None:
        """The worker is done with the part, well or badly. Raises the final error when it went badly too
        often."""
        self._record(part)
        failures = 0
        if trouble:
            failures = 1 if moved >= PROGRESS else part.failures + 1
        with self._lock:
            if self.stopping.is_set():
                trouble = None
            if isinstance(trouble, IgnoredRange) and not part.stale:
                self._ignored(part.file)
            part.file.release(part, failures)
            self.roster.released(part.file)
            self._work.notify_all()
        if trouble and not part.stale:
            self._wait_after(part, failures, trouble)

    def _ignored(self, file: PartialFile) -> None:
        """A server without ranges: after a few tries the file is fetched in one go, by one connection."""
        file.ignored_ranges += 1
        if file.ignored_ranges >= MAX_IGNORED and not file.whole:
            file.whole = True
            self._restart(file)

    def _wait_after(self, part: Part, failures: int, trouble: Trouble) -> None:
        host = str(Origin.of(part.file.address or part.file.download.url))
        if trouble.retry_after is not None and trouble.retry_after > self.options.max_wait:
            raise Throttled(
                f"{host} asks us to wait {trouble.retry_after:.0f} seconds. What has arrived is kept: "
                "resume then.",
                details={"host": host, "retry_after": trouble.retry_after},
            )
        if failures >= self.options.attempts:
            raise final(trouble, part.file.download.path, host, failures)
        pause = wait_before(failures, trouble, self.options)
        if trouble.kind is Kind.THROTTLED:
            self._held_until = max(self._held_until, time.monotonic() + pause)
            self._held_why = f"{host} is busy"
        self.stopping.wait(pause)

    def wait_if_held(self) -> None:
        """While a server asked for patience, nobody asks it for anything."""
        while (pause := self._held_until - time.monotonic()) > 0 and not self.stopping.wait(pause):
            pass

    # — addresses —

    @contextmanager
    def address_of(self, file: PartialFile) -> Iterator[str]:
        """Where to ask for the file. While that is unknown one worker asks the hub and the others wait for
        it."""
        if address := file.address:
            yield address
            return
        with self._addresses[file.index]:
            if file.address is None:
                yield file.download.url
                return
        yield file.address or file.download.url

    def lost(self, file: PartialFile, url: str) -> None:
        """The address is no good any more (a signed link ran out, a node went away): ask the hub again."""
        with self._lock:
            if file.address == url:
                file.address = None

    def located(self, part: Part, url: str, validator: str | None, ranged: bool) -> None:
        with self._lock:
            self._ranged = self._ranged or ranged
            part.file.unranged = not ranged and not part.file.small
            if not part.stale:
                part.file.address = url
                part.file.validator = validator

    # — starting a file again —

    def changed(self, part: Part) -> None:
        """The content behind the address is another one. Raises IntegrityError when that goes on."""
        file = part.file
        with self._lock:
            if part.stale:
                return
            file.changes += 1
            if file.changes > MAX_CHANGES:
                raise IntegrityError(
                    f"'{file.download.path}' keeps changing on the server while it is fetched. Try again "
                    "later.",
                    details={"file": file.download.path},
                )
            self._restart(file)

    def mismatched(self, file: PartialFile) -> bool:
        """Wrong bytes: throw them away. True when the file is tried once more."""
        with self._lock:
            file.mismatches += 1
            self._restart(file)
            return file.mismatches < 2

    def _restart(self, file: PartialFile) -> None:
        old = file.restart()
        self.journal.restarted(file.index, file.generation)
        old.unlink(missing_ok=True)
        self.roster.restarted(file)
        self._work.notify_all()
        self._front.notify_all()

    # — hashing —

    def hashable(self) -> tuple[PartialFile, int, int, int] | None:
        """A file whose front is ahead of its hash: (file, fd, generation, end of the front). None when it
        is over."""
        with self._lock:
            while not self._is_over() and not self.stopping.is_set():
                if found := self.roster.to_hash():
                    file, end = found
                    return file, file.open(), file.generation, end
                self._front.wait(1.0)
        return None

    def hashed(self, file: PartialFile, generation: int, position: int) -> bool:
        """Move the hash's position on; False when the file was started again meanwhile."""
        with self._lock:
            if file.generation != generation:
                return False
            file.hashed = position
            return True

    def finished(self, file: PartialFile, fetched: Fetched) -> None:
        with self._syncing, self._lock:
            file.close()  # a model may have more files than a process may have open
            file.done = True
            self.roster.finished(file)
            self.results[file.index] = fetched
            if len(self.results) == len(self.files):
                self._work.notify_all()
                self._over.notify_all()

    # — the journal —

    def _sync_often(self) -> None:
        try:
            last = time.monotonic()
            while not self.stopping.wait(0.1):
                with self._lock:
                    unsynced = self.roster.unsynced()
                if unsynced >= SYNC_BYTES or time.monotonic() - last >= SYNC_SECONDS:
                    self.sync()
                    last = time.monotonic()
        except OSError as error:
            self.fail(disk_trouble(error, self.into) or error)

    def sync(self) -> None:
        """Sync what was written, then say so in the journal."""
        with self._syncing:
            with self._lock:
                fresh = []
                for file in self.roster.take_dirty():
                    if file.unsynced and file.fd is not None and not file.done:
                        fresh.append((file, file.fd, file.generation, file.unsynced, file.validator))
                        file.unsynced = Ranges()
            for _, fd, *_ in fresh:
                os.fdatasync(fd)
        if fresh:
            self.journal.synced([(file.index, known, ranges, etag) for file, _, known, ranges, etag in fresh])

    def _sync_folders(self) -> None:
        """Names last as long as their folders do. Until then a proven file is found under either name."""
        try:
            self.shelver.sync_folders()
        except OSError as error:
            if self.error is None:
                self.error = disk_trouble(error, self.into) or error

    def _sync_last(self) -> None:
        try:
            self.sync()
        except OSError as error:
            trouble = disk_trouble(error, self.into)
            if self.error is None:
                self.error = trouble or error

    # — telling —

    def bytes_done(self) -> int:
        with self._lock:
            return self.roster.bytes_here()

    def resumable(self) -> bool | None:
        """Whether a pause costs nothing: False when a server sends whole files only, None when not known."""
        with self._lock:
            if self.roster.unranged():
                return False
            return True if self._ranged else None

    def message(self) -> str:
        if self._held_until > time.monotonic():
            return f"Waiting: {self._held_why}"
        return ""
