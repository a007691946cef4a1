"""Blobs on the local disk: `<root>/<first two digits>/<sha256>`, and every file of that content a hard link.

Where a file system has no hard links (or a file has too many), a reflink or a copy takes their place: then
the bytes may lie twice, and nothing else changes. Blobs are read-only; names are built from the hash alone.
"""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from integrations.blobs.names import SHA256, relative
from integrations.errors import IntegrityError, NotFound

_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES, errno.ENOSYS})
FICLONE = 0x40049409
READ_ONLY = 0o444


class LocalBlobs:
    """A folder of blobs. All methods may be repeated: doing twice is doing once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Where this content lies, if it is here. Raises InvalidRef for what is no hash."""
        return self.root / relative(sha256)

    def size(self, sha256: str) -> int | None:
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def take(self, file: Path, sha256: str) -> None:
        """Make `file`, which holds this content, and the blob one; the first of a content becomes the blob.

        Raises IntegrityError when another length lies under this hash: one of the two is damaged.
        """
        blob = self.path(sha256)
        blob.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.link(file, blob)
        except FileExistsError:
            self._replace_by_link(file, blob)
            return
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            _copy(file, blob)
        blob.chmod(READ_ONLY)

    def place(self, sha256: str, target: Path) -> None:
        """Let `target` be a file of this content. Raises NotFound when it is not here."""
        blob = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name[:200]}.placing")
        draft.unlink(missing_ok=True)
        try:
            os.link(blob, draft)
        except FileNotFoundError:
            raise NotFound(
                f"The content {sha256[:12]}… is not in the store any more. Download the model again."
            ) from None
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            _copy(blob, draft)
        draft.replace(target)
        draft.unlink(missing_ok=True)  # renaming one link of a file to another does nothing

    def remove(self, sha256: str) -> int:
        """Take the store's own link away; the bytes freed, 0 while a model's file still holds them."""
        blob = self.path(sha256)
        try:
            stat = blob.stat()
            blob.unlink()
        except FileNotFoundError:
            return 0
        return stat.st_size if stat.st_nlink == 1 else 0

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Every blob that lies here, with its bytes."""
        return ((sha256, stat.st_size) for sha256, stat in self)

    def __iter__(self) -> Iterator[tuple[str, os.stat_result]]:
        """Every blob that lies here, with what the file system says about it."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for blob in sorted(folder.iterdir()):
                if SHA256.fullmatch(blob.name):
                    with contextlib.suppress(FileNotFoundError):
                        yield blob.name, blob.stat()

    def _replace_by_link(self, file: Path, blob: Path) -> None:
        if file.samefile(blob):
            return
        if file.stat().st_size != blob.stat().st_size:
            raise IntegrityError(
                f"The store's copy of {blob.name[:12]}… is damaged: its length is wrong. "
                "`modelhub verify` names what it belongs to.",
                details={"sha256": blob.name},
            )
        draft = file.with_name(f".{file.name[:200]}.linking")
        draft.unlink(missing_ok=True)
        try:
            os.link(blob, draft)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            return  # it stays a file of its own
        draft.replace(file)


def _copy(source: Path, target: Path) -> None:
    """By reflink where the file system shares blocks, else byte by byte; whole or not at all."""
    draft = target.with_name(f".{target.name[:200]}.copying")
    with source.open("rb") as old, draft.open("wb") as new:
        try:
            fcntl.ioctl(new, FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, 1 << 20)
        new.flush()
        os.fsync(new.fileno())
    draft.replace(target)
