"""The bytes of uploads on the disk: `uploads/<id>/<n>` is the n-th file, and how long it is says how much of
it is here. No database in this file: its calls run in threads.
"""

import base64
import binascii
import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from api.errors import Conflict, Invalid
from api.schemas.uploads import CHUNK
from api.services.blocking import in_thread
from integrations.errors import IntegrityError
from integrations.transfer.space import disk_trouble

PIECE = 256 * 1024
"""Bytes that are read from a client before they are written."""


def length(folder: Path, index: int) -> int:
    """Bytes that are here of the n-th file."""
    try:
        return (folder / str(index)).stat().st_size
    except FileNotFoundError:
        return 0


def lengths(folder: Path) -> dict[int, int]:
    """The same for every file of an upload that has begun."""
    try:
        with os.scandir(folder) as found:
            return {int(entry.name): entry.stat().st_size for entry in found if entry.name.isdigit()}
    except FileNotFoundError:
        return {}


def checksum(text: str | None) -> bytes | None:
    """The digest in tus' `Upload-Checksum: sha256 <base64>`. Raises Invalid."""
    if text is None:
        return None
    kind, _, value = text.strip().partition(" ")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if kind != "sha256" or len(digest) != 32:
        raise Invalid("Upload-Checksum is written `sha256 ` and the digest in Base64.")
    return digest


def append(
    folder: Path, index: int, offset: int, size: int, read: Callable[[int], bytes], digest: bytes | None
) -> int:
    """Add a piece at `offset` to the n-th file of `size` bytes; the new offset. `read(n)` gives its bytes.

    A client that breaks off leaves what had arrived, unless it promised a `digest` of the whole piece. Raises
    Conflict when the file has another length (`details.offset`) or somebody else writes to it, Invalid for
    more bytes than the file has, IntegrityError when the piece is not what was promised.
    """
    with locked(folder, index) as fd:
        here = os.fstat(fd).st_size
        if here != offset:
            raise Conflict(
                f"This file has {here:,} bytes here and not {offset:,}. Go on from there.",
                details={"offset": here, "size": size},
            )
        hashed, most, kept = hashlib.sha256(), min(size - offset, CHUNK), False
        try:
            while piece := read(PIECE):
                if here + len(piece) > offset + most:
                    raise Invalid(
                        f"The file has {size:,} bytes, and one piece at most {CHUNK:,}; this one goes beyond."
                    )
                in_thread(_write, fd, piece, here)
                here += len(piece)
                if digest:
                    hashed.update(piece)
            if digest not in (None, hashed.digest()):
                raise IntegrityError(
                    "This piece is not what its checksum promised. Send it again.",
                    details={"offset": offset, "size": size},
                )
            kept = True
        except (Invalid, IntegrityError):
            raise
        except OSError as error:
            kept = digest is None
            raise disk_trouble(error, folder) or error from error
        except BaseException:
            kept = digest is None  # the client has gone
            raise
        finally:
            if not kept:
                in_thread(os.ftruncate, fd, offset)
    return here


@contextlib.contextmanager
def locked(folder: Path, index: int) -> Iterator[int]:
    """The n-th file, open, and nobody else's to write to. Raises Conflict when somebody writes to it now."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(folder / str(index), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                "Somebody is sending this file at this moment. Wait for that, then ask for the offset.",
                details={"offset": os.fstat(fd).st_size, "busy": True},
            ) from None
        yield fd
    finally:
        os.close(fd)


def _write(fd: int, piece: bytes, at: int) -> None:
    done = 0
    while done < len(piece):
        done += os.pwrite(fd, memoryview(piece)[done:], at + done)
