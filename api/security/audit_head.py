"""Where the audit log ended: `audit.head` in the data directory, `{"seq", "hash"}` of its newest entry.

A chain shows that something in its middle was changed; that its end was cut off shows only who remembers
how long it was. The file is written after each commit, only ever forward, under a lock, in place: one short
line of fixed length, so that no process ever finds half of it.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import NamedTuple

FILE = "audit.head"
_LENGTH = 128


class Head(NamedTuple):
    seq: int
    hash: str


def read(home: Path) -> Head | None:
    """The remembered end; None when there is no file, or it is not what we wrote."""
    try:
        fd = os.open(home / FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        return _parse(os.pread(fd, _LENGTH, 0))
    finally:
        os.close(fd)


def advance(home: Path, head: Head) -> None:
    """Remember `head`, unless a later end is remembered already."""
    fd = os.open(home / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        known = _parse(os.pread(fd, _LENGTH, 0))
        if known is None or known.seq < head.seq:
            os.pwrite(fd, json.dumps(head._asdict()).ljust(_LENGTH - 1).encode() + b"\n", 0)
    finally:
        os.close(fd)


def _parse(line: bytes) -> Head | None:
    try:
        found = json.loads(line)
        return Head(int(found["seq"]), str(found["hash"]))
    except (ValueError, TypeError, KeyError):
        return None
