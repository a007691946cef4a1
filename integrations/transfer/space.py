"""Room on the disk: asked for before the first byte, reserved for each file, missed with exact numbers."""

import ctypes
import errno
import os
from pathlib import Path

from integrations.errors import OutOfSpace

_libc = ctypes.CDLL(None, use_errno=True)
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def free_bytes(folder: Path) -> int:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def check_room(folder: Path, needed: int, reserve: int) -> None:
    """Raises OutOfSpace unless `needed` bytes fit into `folder`'s file system and `reserve` stay free."""
    free = free_bytes(folder)
    deficit = needed + reserve - free
    if needed and deficit > 0:
        raise OutOfSpace(
            f"{needed:,} bytes are still to come and {reserve:,} are to stay free, but the disk has only "
            f"{free:,} left. Free at least {deficit:,} bytes and resume.",
            details={"needed": needed, "reserve": reserve, "free": free, "deficit": deficit},
        )


def reserve_file(fd: int, size: int) -> None:
    """Give the file its size, with real blocks behind it where the file system can (no zeros are written).

    Raises OSError (ENOSPC) when the blocks are not there.
    """
    if size == 0:
        return
    if _libc.fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(size)) != 0:
        number = ctypes.get_errno()
        if number not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            raise OSError(number, os.strerror(number))
        os.ftruncate(fd, size)


def allocated(path: Path) -> int:
    """Bytes the file already occupies; 0 when there is none."""
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def disk_trouble(error: OSError, folder: Path) -> OutOfSpace | None:
    """The clear error for a full disk met while writing; None for any other error."""
    if error.errno not in NO_ROOM:
        return None
    free = free_bytes(folder)
    return OutOfSpace(
        f"The disk filled up while writing ({free:,} bytes left). What has arrived is kept: free space and "
        "resume.",
        details={"free": free},
    )
