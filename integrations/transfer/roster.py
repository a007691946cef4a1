"""Which file of a transfer is where on its way. A model may have thousands of them: nothing here walks
through all of them more than once. Not thread-safe: the engine's lock guards it."""

from collections import OrderedDict
from collections.abc import Sequence

from integrations.transfer.partial import Part, PartialFile


class Roster:
    """Every file by what can be done with it; each is in as many of these as fit."""

    def __init__(self, files: Sequence[PartialFile]) -> None:
        self._pending = OrderedDict((file.index, file) for file in files if file.missing)
        self._active: dict[int, PartialFile] = {}  # being fetched
        self._started = {file.index: file for file in files if file.written}  # some bytes here, not done
        self._hashing = {file.index: file for file in files if file.written or not file.size}
        self._dirty: dict[int, PartialFile] = {}  # with bytes that are not synced
        self._done_bytes = 0

    def claim(self, speed: float, connections: int) -> Part | None:
        """A part that nobody fetches; else half of what somebody is slow with; None when there is neither."""
        while self._pending:
            index, file = next(iter(self._pending.items()))
            part = file.claim(speed, connections)
            if not file.missing:
                del self._pending[index]
            if part:
                self._active[index] = self._started[index] = file
                return part
        return next((part for file in self._active.values() if (part := file.split())), None)

    def released(self, file: PartialFile) -> None:
        """Parts of it changed hands: is somebody at it, and is something of it missing?"""
        if not file.active:
            self._active.pop(file.index, None)
        if file.missing:
            self._pending[file.index] = file
            self._pending.move_to_end(file.index, last=False)  # finish what was begun

    def advanced(self, file: PartialFile) -> None:
        """Bytes of it were written."""
        self._hashing[file.index] = self._dirty[file.index] = file

    def restarted(self, file: PartialFile) -> None:
        for known in (self._active, self._dirty, self._hashing):
            known.pop(file.index, None)
        self.released(file)

    def finished(self, file: PartialFile) -> None:
        for known in (self._started, self._hashing, self._dirty):
            known.pop(file.index, None)
        self._done_bytes += file.size

    def to_hash(self) -> tuple[PartialFile, int] | None:
        """A file whose front is ahead of its hash, and where the front is."""
        for index, file in list(self._hashing.items()):
            end = file.written.end_from(file.hashed)
            del self._hashing[index]
            if not file.done and (end > file.hashed or file.size == 0):
                self._hashing[index] = file  # last from now on: others have their turn
                return file, end
        return None

    def unsynced(self) -> int:
        """Bytes that were written and not synced."""
        return sum(file.unsynced.total for file in self._dirty.values())

    def take_dirty(self) -> list[PartialFile]:
        """The files to sync now; they are clean from here on."""
        dirty, self._dirty = self._dirty, {}
        return list(dirty.values())

    def bytes_here(self) -> int:
        return self._done_bytes + sum(file.written.total for file in self._started.values())

    def unranged(self) -> bool:
        """Whether a file is on its way that its server sends only as a whole."""
        return any(file.whole or file.unranged for file in self._started.values())
