"""Proven files get their names: many at a time, since a sync costs the same for one as for hundreds.

content on the disk ─▶ the journal says so, on the disk ─▶ renamed ─▶ (at the very end) folders synced

Until the folders are synced a loss of power may undo a rename; the journal knows the file as proven then, and
finds it under the one name or the other.
"""

import ctypes
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from integrations.transfer.journal import sync_folder
from integrations.transfer.names import inside, make_folder
from integrations.transfer.options import Fetched
from integrations.transfer.partial import PartialFile
from integrations.transfer.space import disk_trouble

if TYPE_CHECKING:
    from integrations.transfer.engine import Engine

_libc = ctypes.CDLL(None, use_errno=True)
BATCH = 500
BATCH_SECONDS = 0.25

Proven = tuple[PartialFile, str]
"""A file whose content is right, and its SHA-256."""


class Shelver:
    """`add` small files as they arrive; a thread of its own shelves them. `shelve` does it at once."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self._waiting: list[Proven] = []
        self._some = threading.Condition()
        self._shelving = threading.Lock()
        self._folders: dict[Path, None] = {}

    def add(self, file: PartialFile, sha256: str) -> None:
        """A small file that is whole, hashed and written, and not synced."""
        with self._some:
            self._waiting.append((file, sha256))
            self._some.notify()

    def run(self) -> None:
        try:
            while not self.engine.stopping.is_set():
                with self._some:
                    if not self._waiting:
                        self._some.wait(BATCH_SECONDS)
                        continue
                time.sleep(BATCH_SECONDS if len(self._waiting) < BATCH and not self._last() else 0)
                with self._some:
                    batch, self._waiting = self._waiting, []
                self._sync(batch)
                self.shelve(batch)
        except OSError as error:
            self.engine.fail(disk_trouble(error, self.engine.into) or error)
        except Exception as error:
            self.engine.fail(error)

    def _last(self) -> bool:
        """Nothing else is on its way: nobody gains from waiting."""
        return len(self.engine.results) + len(self._waiting) >= len(self.engine.files)

    def _sync(self, batch: list[Proven]) -> None:
        """Bring the content of these files to the disk: one sync of their file system, or one for each."""
        folder = os.open(self.engine.into, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if len(batch) > 4 and _libc.syncfs(folder) == 0:
                return
        except AttributeError:
            pass  # not Linux
        finally:
            os.close(folder)
        for file, _ in batch:
            fd = os.open(file.path, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def shelve(self, batch: list[Proven]) -> None:
        """Give files whose content is on the disk their own names."""
        with self._shelving:
            self.engine.journal.proven([(file.index, file.generation, sha256) for file, sha256 in batch])
            for file, sha256 in batch:
                target = inside(self.engine.into, file.download.path)
                if target.parent not in self._folders:
                    make_folder(target.parent, self.engine.into)
                    self._remember(target.parent)
                file.path.rename(target)
                self.engine.finished(file, Fetched(file.download.path, file.size, sha256))

    def _remember(self, folder: Path) -> None:
        while folder not in self._folders:
            self._folders[folder] = None
            if folder == self.engine.into:
                return
            folder = folder.parent

    def sync_folders(self) -> None:
        """Make the names last. Call when nothing is shelved any more."""
        for folder in self._folders:
            sync_folder(folder)
