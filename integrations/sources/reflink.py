"""Copies that cost nothing, where the file system shares blocks (btrfs, XFS, bcachefs)."""

import fcntl

FICLONE = 0x40049409


def share_blocks(original: int, copy: int) -> bool:
    """Let the open file `copy` share all blocks of `original`; False where that is not to be had."""
    try:
        fcntl.ioctl(copy, FICLONE, original)
    except OSError:
        return False
    return True
